import { commonDefinition } from './config-common.js';
import { configKeyInfos, type ConfigKeyInfo } from './config-infos.js';
import { converterKeys } from './converter-config.js';
import { TOPIC_CREATION_GROUPS } from './topic-creation.js';

/** The keys of every source or every sink, but those that other keys of a configuration bring with them. */
export function commonInfos(kind: 'source' | 'sink'): readonly ConfigKeyInfo[] {
  return configKeyInfos([
    ...commonDefinition(kind),
    ...converterKeys(),
    ...(kind === 'source' ? [TOPIC_CREATION_GROUPS] : []),
  ]);
}
