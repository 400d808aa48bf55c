import { isGivenFor, isSecretKey } from '../sdk/config.js';
import type { PluginType } from '../sdk/plugin.js';
import { findPlugin, type PluginCatalog } from './catalog.js';
import { loadPlugin } from './load.js';
import { isReference, type Config } from '../core/connectors/secret-references.js';

export interface ConfiguredPlugin {
  readonly types: readonly PluginType[];
  /** Of its keys within the connector's configuration. */
  readonly prefix: string;
  readonly pluginClass: string;
  readonly version: string | null;
}

/** The node's, where a connector names none. */
export interface DefaultConverters {
  readonly keyConverter?: string;
  readonly valueConverter?: string;
  readonly headerConverter?: string;
}

/** The connector itself and the converters, transforms and predicates it names. */
export function configuredPlugins(config: Config, defaults: DefaultConverters): readonly ConfiguredPlugin[] {
  const plugins: ConfiguredPlugin[] = [];
  const add = (
    types: readonly PluginType[],
    prefix: string,
    classKeys: readonly string[],
    versionKey: string,
    otherwise?: string,
  ): void => {
    const given = classKeys.map((key) => config[key]).find((value) => value !== undefined && value !== '');
    const pluginClass = given ?? otherwise;
    if (pluginClass !== undefined)
      plugins.push({ types, prefix, pluginClass, version: config[versionKey] ?? null });
  };
  for (const [types, converter, otherwise] of [
    [['converter'], 'key.converter', defaults.keyConverter],
    [['converter'], 'value.converter', defaults.valueConverter],
    [['header_converter', 'converter'], 'header.converter', defaults.headerConverter],
  ] as const) {
    add(types, `${converter}.`, [converter], `${converter}.plugin.version`, otherwise);
  }
  for (const [list, type] of [
    ['transforms', 'transformation'],
    ['predicates', 'predicate'],
  ] as const) {
    for (const alias of (config[list] ?? '').split(',').map((item) => item.trim())) {
      const prefix = `${list}.${alias}.`;
      if (alias !== '') add([type], prefix, [`${prefix}type`, `${prefix}class`], `${prefix}plugin.version`);
    }
  }
  // Last, so that the connector's own word on a key stands.
  add(['source', 'sink'], '', ['connector.class', 'connector-class'], 'connector.plugin.version');
  return plugins;
}

/** What is written under keys that plugins define as PASSWORD. Of a plugin that cannot be loaded nothing is known. */
export async function passwordsOf(
  config: Config,
  catalog: PluginCatalog,
  defaults: DefaultConverters,
): Promise<readonly string[]> {
  const passwords: string[] = [];
  for (const { types, prefix, pluginClass, version } of configuredPlugins(config, defaults)) {
    const plugin = await Promise.resolve()
      .then(() => loadPlugin(findPlugin(catalog, types, pluginClass, version)))
      .catch(() => null);
    for (const key of plugin?.plugin.config ?? []) {
      if (!isSecretKey(key)) continue;
      for (const [field, value] of Object.entries(config)) {
        if (!field.startsWith(prefix) || !isGivenFor(key, field.slice(prefix.length))) continue;
        if (value !== '' && !isReference(value)) passwords.push(value);
      }
    }
  }
  return passwords;
}
