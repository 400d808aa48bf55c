/** Every key that a connector's configuration may have. Loads the plugins that it names, and calls nothing of them. */
import { under, type ConfigDefinition, type ConfigKey } from '../sdk/config.js';
import type { Plugin, RawConfig } from '../sdk/plugin.js';
import { findPlugin, type PluginCatalog } from './catalog.js';
import { commonDefinition } from './config-common.js';
import { configuredPlugins, type ConfiguredPlugin, type DefaultConverters } from './configured-plugins.js';
import { converterKeys, DEFAULT_CONVERTERS } from './converter-config.js';
import { loadPlugin } from './load.js';
import { topicCreationKeys } from './topic-creation.js';
import { chainKeys } from './transform-chain.js';

export interface KnownKeys {
  readonly definition: ConfigDefinition;
  /** null: its class is not known, and so nothing of its keys. */
  readonly kind: 'source' | 'sink' | null;
  /** Of plugins that do not load: their keys are not known. */
  readonly opaque: readonly string[];
}

export async function knownKeys(
  raw: RawConfig,
  catalog: PluginCatalog,
  defaults: DefaultConverters,
): Promise<KnownKeys> {
  const definition: ConfigKey[] = [];
  const opaque: string[] = [];
  let kind: KnownKeys['kind'] = null;
  for (const configured of configuredPlugins(raw, withDefaults(defaults))) {
    const plugin = await load(configured, catalog);
    if (plugin === null) opaque.push(configured.prefix);
    else definition.push(...under(configured.prefix, plugin.plugin.config));
    if (plugin?.type === 'source' || plugin?.type === 'sink') kind = plugin.type;
  }
  definition.push(...commonDefinition(kind), ...converterKeys(), ...chainKeys(raw));
  if (kind === 'source') definition.push(...topicCreationKeys(raw));
  return { definition, kind, opaque };
}

function withDefaults(defaults: DefaultConverters): DefaultConverters {
  return {
    keyConverter: defaults.keyConverter ?? DEFAULT_CONVERTERS.key,
    valueConverter: defaults.valueConverter ?? DEFAULT_CONVERTERS.value,
    headerConverter: defaults.headerConverter ?? DEFAULT_CONVERTERS.header,
  };
}

/** null: it does not load, which others say. */
async function load(configured: ConfiguredPlugin, catalog: PluginCatalog): Promise<Plugin | null> {
  const { types, pluginClass, version } = configured;
  try {
    return await loadPlugin(findPlugin(catalog, types, pluginClass, version));
  } catch {
    return null;
  }
}
