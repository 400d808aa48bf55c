import type { ConfigInfos } from '../actors/config-sync/protocol.js';
import { topicsRegex } from '../plugins/config-common.js';
import type { RouteDeps } from './context.js';
import type { Call } from './runtime.js';

/** In Kafka Connect's shape. */
export interface QueueEnd {
  readonly partition: { readonly kafka_topic: string; readonly kafka_partition: number };
  readonly offset: { readonly kafka_offset: number };
}

/** The ends of the topics that a sink reads, as far as they exist: one that comes later is read from its beginning. */
export async function endOffsets(
  deps: RouteDeps,
  call: Call,
  infos: ConfigInfos,
): Promise<readonly QueueEnd[]> {
  const ends: QueueEnd[] = [];
  for (const name of await topicsOf(deps, call, infos)) {
    const topic = await deps.runtime.topic(call, name);
    for (const { queue, endOffset } of topic?.queues ?? [])
      ends.push({
        partition: { kafka_topic: name, kafka_partition: queue },
        offset: { kafka_offset: endOffset },
      });
  }
  return ends;
}

async function topicsOf(deps: RouteDeps, call: Call, infos: ConfigInfos): Promise<readonly string[]> {
  const valueOf = (key: string): string =>
    (infos.configs.find(({ value }) => value.name === key)?.value.value ?? '').trim();
  const named = valueOf('topics')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (named.length > 0) return [...new Set(named)];
  const pattern = valueOf('topics.regex');
  if (pattern === '') return [];
  const regex = topicsRegex(pattern);
  const topics = await deps.runtime.topics(call);
  return topics.filter(({ name, internal }) => !internal && regex.test(name)).map(({ name }) => name);
}
