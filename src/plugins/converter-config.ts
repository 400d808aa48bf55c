/** A connector's converters: `key.converter`, `value.converter`, `header.converter` and the options under these names. */
import type { ConfigKey } from '../sdk/config.js';
import type { ConverterInstance, RawConfig } from '../sdk/plugin.js';
import { configError, configurePlugin, own, type Configured } from './config-plugins.js';
import type { PluginCatalog } from './catalog.js';

export interface LoadedConverter {
  /** What its `toConnectData` wants to be given. */
  readonly input: 'bytes' | 'text';
  readonly instance: ConverterInstance;
}

export type ConverterPart = 'key' | 'value' | 'header';

/** Where neither the connector nor the node names one. */
export const DEFAULT_CONVERTERS: Readonly<Record<ConverterPart, string>> = {
  key: 'StringConverter',
  value: 'StringConverter',
  header: 'SimpleHeaderConverter',
};

/** `defaultClass`: the node's, where the connector names none. Throws ConfigError with all issues. */
export async function buildConverter(
  raw: RawConfig,
  part: ConverterPart,
  defaultClass: string,
  catalog: PluginCatalog,
): Promise<LoadedConverter> {
  const { made, issues } = await configureConverter(raw, part, defaultClass, catalog);
  if (made === null) throw configError(issues);
  return made;
}

export async function configureConverter(
  raw: RawConfig,
  part: ConverterPart,
  defaultClass: string,
  catalog: PluginCatalog,
): Promise<Configured<LoadedConverter>> {
  const name = `${part}.converter`;
  const configured = await configurePlugin<'converter' | 'header_converter', LoadedConverter>({
    raw,
    catalog,
    type: part === 'header' ? ['header_converter', 'converter'] : 'converter',
    classKey: name,
    className: own(raw, name)?.trim() ?? defaultClass,
    versionKey: `${name}.plugin.version`,
    prefix: `${name}.`,
    reserved: ['plugin.version'],
    group: `${TITLES[part]} converter`,
    make: (plugin, config) => ({
      input: plugin.input,
      instance: plugin.create(config, { isKey: part === 'key', isHeader: part === 'header' }),
    }),
  });
  return { ...configured, definition: [...keysOf(name, part, defaultClass), ...configured.definition] };
}

/** Those that say which converters a connector has, where the node sets nothing else. */
export function converterKeys(): readonly ConfigKey[] {
  return (['key', 'value', 'header'] as const).flatMap((part) =>
    keysOf(`${part}.converter`, part, DEFAULT_CONVERTERS[part]),
  );
}

const TITLES: Readonly<Record<ConverterPart, string>> = { key: 'Key', value: 'Value', header: 'Header' };
/** Kafka Connect's, within their group; the version comes after its class. */
const ORDERS: Readonly<Record<ConverterPart, number>> = { key: 6, value: 8, header: 10 };
const CONVERTED: Readonly<Record<ConverterPart, string>> = {
  key: 'record keys',
  value: 'record values',
  header: "the values of records' headers",
};

function keysOf(name: string, part: ConverterPart, defaultClass: string): readonly ConfigKey[] {
  return [
    {
      name,
      type: 'CLASS',
      defaultValue: defaultClass,
      importance: 'LOW',
      documentation: `Converter of ${CONVERTED[part]}, between their form in the log and in the connector. Its options stand under ${name}. as well.`,
      group: 'Common',
      width: 'SHORT',
      displayName: `${TITLES[part]} converter class`,
      orderInGroup: ORDERS[part],
    },
    {
      name: `${name}.plugin.version`,
      type: 'STRING',
      defaultValue: null,
      importance: 'LOW',
      documentation: 'Version of the converter; the newest when not given.',
      group: 'Common',
      width: 'SHORT',
      displayName: `${TITLES[part]} converter version`,
      orderInGroup: ORDERS[part] + 1,
    },
  ];
}
