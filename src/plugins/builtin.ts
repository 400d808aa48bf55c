/** The plugins that come with Troupe, in the form of a package's manifest. */
import type { PluginManifestEntry, PluginType } from '../sdk/plugin.js';
import type { CatalogEntry } from './catalog.js';

const KAFKA = 'org.apache.kafka.connect';
const ROCKETMQ = 'org.apache.rocketmq.connect';
const ROCKETMQ_CONVERTERS = `${ROCKETMQ}.runtime.converter.record`;

const entry = (
  type: PluginType,
  name: string,
  module: string,
  aliases: readonly string[],
): PluginManifestEntry => ({
  class: name,
  type,
  version: '1.0.0',
  module,
  aliases,
});

const transform = (name: string, module: string): PluginManifestEntry =>
  entry('transformation', name, `transforms/${module}.js`, [`${KAFKA}.transforms.${name}`]);

/** One for the key and one for the value of a record. `home`: whose classes they are. */
const pair = (name: string, module: string, home = KAFKA): readonly PluginManifestEntry[] =>
  ['Key', 'Value'].map((part) =>
    entry('transformation', `${name}$${part}`, `transforms/${module}.js#${part}`, [
      `${home}.transforms.${name}$${part}`,
    ]),
  );

const predicate = (name: string, module: string): PluginManifestEntry =>
  entry('predicate', name, `transforms/${module}.js`, [`${KAFKA}.transforms.predicates.${name}`]);

/** The converter of one type of number, by its name in Kafka Connect. */
const number = (name: string): PluginManifestEntry =>
  entry('converter', `${name}Converter`, `converters/numbers.js#${name}`, [
    `${KAFKA}.converters.${name}Converter`,
    `${ROCKETMQ_CONVERTERS}.${name}Converter`,
  ]);

const ENTRIES: readonly PluginManifestEntry[] = [
  entry('source', 'FileSourceConnector', 'connectors/file/source/source.js', [
    `${KAFKA}.file.FileStreamSourceConnector`,
    `${ROCKETMQ}.file.FileSourceConnector`,
  ]),
  entry('sink', 'FileSinkConnector', 'connectors/file/sink/sink.js', [
    `${KAFKA}.file.FileStreamSinkConnector`,
    `${ROCKETMQ}.file.FileSinkConnector`,
  ]),
  entry('converter', 'StringConverter', 'converters/string.js', [
    `${KAFKA}.storage.StringConverter`,
    `${ROCKETMQ_CONVERTERS}.StringConverter`,
  ]),
  entry('converter', 'ByteArrayConverter', 'converters/byte-array.js', [
    `${KAFKA}.converters.ByteArrayConverter`,
    `${ROCKETMQ_CONVERTERS}.ByteArrayConverter`,
  ]),
  entry('converter', 'JsonConverter', 'converters/json/converter.js', [
    `${KAFKA}.json.JsonConverter`,
    `${ROCKETMQ_CONVERTERS}.json.JsonConverter`,
  ]),
  entry('converter', 'BooleanConverter', 'converters/boolean.js', [`${KAFKA}.converters.BooleanConverter`]),
  ...['Short', 'Integer', 'Long', 'Float', 'Double'].map(number),
  entry('header_converter', 'SimpleHeaderConverter', 'converters/simple-header.js', [
    `${KAFKA}.storage.SimpleHeaderConverter`,
  ]),
  ...pair('InsertField', 'insert-field'),
  ...pair('ReplaceField', 'replace-field'),
  ...pair('HoistField', 'hoist-field'),
  ...pair('ExtractField', 'extract-field'),
  ...pair('MaskField', 'mask-field'),
  ...pair('Cast', 'cast'),
  ...pair('Flatten', 'flatten'),
  ...pair('TimestampConverter', 'timestamp-converter'),
  ...pair('SetSchemaMetadata', 'set-schema-metadata'),
  ...pair('HeaderFrom', 'header-from'),
  transform('InsertHeader', 'insert-header'),
  transform('DropHeaders', 'drop-headers'),
  ...pair('ChangeCase', 'change-case', ROCKETMQ),
  ...pair('ExtractNestedField', 'extract-nested-field', ROCKETMQ),
  ...pair('PatternFilter', 'pattern-filter', ROCKETMQ),
  ...pair('PatternRename', 'pattern-rename', ROCKETMQ),
  ...pair('SetMaximumPrecision', 'set-maximum-precision', ROCKETMQ),
  ...pair('SetNull', 'set-null', ROCKETMQ),
  transform('ValueToKey', 'value-to-key'),
  transform('RegexRouter', 'regex-router'),
  transform('TimestampRouter', 'timestamp-router'),
  transform('Filter', 'filter'),
  entry('transformation', 'Router', 'transforms/router.js', []),
  ...['Key', 'Value'].map((part) =>
    entry('transformation', `SchemaInfer$${part}`, `transforms/schema-infer.js#${part}`, []),
  ),
  entry('transformation', 'Dedupe', 'transforms/dedupe.js', []),
  predicate('TopicNameMatches', 'topic-name-matches'),
  predicate('HasHeaderKey', 'has-header-key'),
  predicate('RecordIsTombstone', 'record-is-tombstone'),
];

export function builtinPlugins(): readonly CatalogEntry[] {
  return ENTRIES.map(({ module, aliases, ...rest }) => {
    const [path = '', exportName = 'default'] = module.split('#');
    const url = new URL(`../${path}`, import.meta.url);
    return { ...rest, aliases: aliases ?? [], module: url.href, exportName, location: null };
  });
}
