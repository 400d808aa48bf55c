import {
  ConfigError,
  copyFields,
  DataError,
  INT32_SCHEMA,
  INT64_SCHEMA,
  isSinkRecord,
  OPTIONAL_INT32_SCHEMA,
  OPTIONAL_INT64_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  OPTIONAL_TIMESTAMP_SCHEMA,
  PerSchema,
  setField,
  STRING_SCHEMA,
  TIMESTAMP_SCHEMA,
} from '../sdk/index.js';
import type {
  ConfigDefinition,
  ConfigKey,
  ConnectRecord,
  ParsedConfig,
  Plugin,
  Schema,
  Transform,
} from '../sdk/index.js';
import {
  KEY,
  nullRuleOf,
  REPLACE_NULL_KEY,
  requireFields,
  settleNulls,
  structLike,
  VALUE,
  type Part,
} from './part.js';

const SUFFIX = "End it with '!' to make the field required, or with '?' to keep it optional (the default).";

const field = (name: string, what: string): ConfigKey => ({
  name,
  type: 'STRING',
  defaultValue: null,
  importance: 'MEDIUM',
  documentation: `Name of the field for ${what}. ${SUFFIX}`,
});

const CONFIG: ConfigDefinition = [
  field('topic.field', 'the topic'),
  field('partition.field', 'the queue, which Kafka calls partition'),
  field('offset.field', 'the offset; only for sink connectors'),
  field('timestamp.field', 'the timestamp of the record'),
  field('static.field', 'a fixed text'),
  {
    name: 'static.value',
    type: 'STRING',
    defaultValue: null,
    importance: 'MEDIUM',
    documentation: 'The fixed text, where static.field is set.',
  },
  REPLACE_NULL_KEY,
];

interface Insertion {
  readonly name: string;
  readonly schema: Schema;
  /** null: nothing is inserted. */
  readonly of: (record: ConnectRecord, hasSchema: boolean) => unknown;
}

type Source = readonly [key: string, required: Schema, optional: Schema, of: Insertion['of']];

const SOURCES: readonly Source[] = [
  ['topic.field', STRING_SCHEMA, OPTIONAL_STRING_SCHEMA, (record) => record.topic],
  ['partition.field', INT32_SCHEMA, OPTIONAL_INT32_SCHEMA, (record) => record.queue],
  ['offset.field', INT64_SCHEMA, OPTIONAL_INT64_SCHEMA, offsetOf],
  ['timestamp.field', TIMESTAMP_SCHEMA, OPTIONAL_TIMESTAMP_SCHEMA, timestampOf],
];

/** Adds fields with facts about the record, or a fixed text. */
function insertField(part: Part): Transform {
  return {
    version: '1.0.0',
    config: CONFIG,
    create: (config) => {
      const insertions = insertionsOf(config);
      const replaceNull = config.boolean('replace.null.with.default');
      const plans = new PerSchema((schema) => ({
        schema: withInsertions(schema, insertions),
        nulls: nullRuleOf(schema, replaceNull),
      }));
      return {
        apply: (record) => {
          const value = part.value(record);
          if (value === null || value === undefined) return record;
          const schema = part.schema(record);
          const updated = copyFields(requireFields(value, schema, 'InsertField'));
          const plan = schema === null ? null : plans.of(schema);
          if (plan !== null) settleNulls(updated, plan.nulls);
          for (const { name, of } of insertions) {
            const inserted = of(record, plan !== null);
            if (inserted !== null) setField(updated, name, inserted);
          }
          return part.replace(record, plan === null ? null : plan.schema, updated);
        },
      };
    },
  };
}

function insertionsOf(config: ParsedConfig): readonly Insertion[] {
  const insertions: Insertion[] = [];
  const add = (key: string, required: Schema, optional: Schema, of: Insertion['of']): void => {
    const spec = config.stringOrNull(key);
    if (spec === null) return;
    const name = spec.replace(/[!?]$/, '');
    if (name === '')
      throw new ConfigError(`${key} must name a field${spec === '' ? '' : ` before its ${spec}`}`, {
        field: key,
      });
    insertions.push({
      name,
      schema: spec.endsWith('!') ? required : optional,
      of,
    });
  };
  for (const source of SOURCES) add(...source);
  const fixed = config.stringOrNull('static.value');
  if (fixed === null && config.has('static.field')) {
    throw new ConfigError('static.field needs static.value: the text to insert', { field: 'static.value' });
  }
  add('static.field', STRING_SCHEMA, OPTIONAL_STRING_SCHEMA, () => fixed);
  if (insertions.length === 0) {
    const keys = ['static.field', ...SOURCES.map(([key]) => key)];
    throw new ConfigError(`nothing to insert: give at least one of ${keys.join(', ')}`, {
      field: 'static.field',
    });
  }
  return insertions;
}

function withInsertions(schema: Schema, insertions: readonly Insertion[]): Schema {
  const builder = structLike(schema);
  for (const { name, schema: fieldSchema } of schema.fields ?? []) builder.field(name, fieldSchema);
  for (const insertion of insertions) builder.field(insertion.name, insertion.schema);
  return builder.build();
}

function offsetOf(record: ConnectRecord): number {
  if (isSinkRecord(record)) return record.offset;
  throw new DataError('offset.field works only in sink connectors: a record of a source has no offset yet', {
    code: 'NO_OFFSET',
  });
}

/** The type Timestamp where there is a schema, else plain milliseconds. */
function timestampOf(record: ConnectRecord, hasSchema: boolean): Date | number | null {
  const { timestamp } = record;
  return timestamp !== null && hasSchema ? new Date(timestamp) : timestamp;
}

export const Key = { type: 'transformation', plugin: insertField(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: insertField(VALUE) } satisfies Plugin;
