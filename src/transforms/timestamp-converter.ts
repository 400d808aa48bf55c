import {
  ConfigError,
  copyFields,
  DataError,
  fieldOf,
  javaDateFormat,
  PerSchema,
  setField,
} from '../sdk/index.js';
import type { JavaDateFormat, ParsedConfig, Plugin, Schema, Transform } from '../sdk/index.js';
import {
  KEY,
  nullRuleOf,
  REPLACE_NULL_KEY,
  requireFields,
  settleNulls,
  structLike,
  VALUE,
  type NullRule,
  type Part,
} from './part.js';
import {
  PRECISIONS,
  precisionOf,
  readTime,
  schemaFor,
  sourceOf,
  TARGETS,
  targetOf,
  writeTime,
  type Source,
  type Times,
} from './times.js';

/** What is done with the values of one schema. */
interface Plan {
  readonly schema: Schema;
  readonly nulls: NullRule;
  /** Of the field; null: there is none. What is no time is found out with a value, as in Kafka Connect. */
  readonly field: Schema | null;
}

/** Writes times in another form. */
function timestampConverter(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'field',
        type: 'STRING',
        defaultValue: '',
        importance: 'HIGH',
        documentation: 'The field that is a time. Empty: the whole is.',
      },
      {
        name: 'target.type',
        type: 'STRING',
        allowed: TARGETS,
        importance: 'HIGH',
        documentation: 'The new form: a text, a number since 1970, or one of the logical types.',
      },
      {
        name: 'format',
        type: 'STRING',
        defaultValue: '',
        importance: 'MEDIUM',
        documentation:
          "How a text has the time, in UTC: all letters of Java's SimpleDateFormat, in English. Needed for target.type=string, and where texts are to be read, for which there may be no letters for weeks. What follows the time is left out, and a 13th month is the first of the next year, as in Java.",
        validator: (value) => {
          if (typeof value !== 'string' || value.trim() === '') return null;
          const format = javaDateFormat(value);
          return 'problem' in format ? format.problem : null;
        },
      },
      {
        name: 'unix.precision',
        type: 'STRING',
        defaultValue: 'milliseconds',
        allowed: PRECISIONS,
        importance: 'LOW',
        documentation: 'What numbers since 1970 count. Less than a millisecond is lost.',
      },
      REPLACE_NULL_KEY,
    ],
    create: (config) => {
      const times = timesOf(config);
      const field = config.string('field');
      return field === ''
        ? convertWhole(part, times)
        : convertField(part, times, field, config.boolean('replace.null.with.default'));
    },
  };
}

function timesOf(config: ParsedConfig): Times {
  const target = targetOf(config.string('target.type'));
  const format = formatOf(config.string('format'));
  if (target === 'string' && format === null)
    throw new ConfigError('target.type=string needs a format', { field: 'format' });
  return { target, format, precision: precisionOf(config.string('unix.precision')) };
}

function formatOf(pattern: string): JavaDateFormat | null {
  if (pattern.trim() === '') return null;
  const format = javaDateFormat(pattern);
  if ('problem' in format) throw new ConfigError(format.problem, { field: 'format' });
  return format;
}

function convertWhole(part: Part, times: Times): ReturnType<Transform['create']> {
  const plans = new PerSchema((schema) => ({
    source: sourceOf(schema),
    schema: schemaFor(times.target, schema.optional),
  }));
  return {
    apply: (record) => {
      const schema = part.schema(record);
      const plan = schema === null ? null : plans.of(schema);
      const value = convert(times, plan === null ? null : plan.source, part.value(record));
      return part.replace(record, plan === null ? null : plan.schema, value);
    },
  };
}

function convertField(
  part: Part,
  times: Times,
  name: string,
  replaceNull: boolean,
): ReturnType<Transform['create']> {
  const plans = new PerSchema((schema) => planFor(schema, times, name, replaceNull));
  return {
    apply: (record) => {
      const value = part.value(record) ?? null;
      const schema = part.schema(record);
      if (schema === null) {
        if (value === null) return record;
        const fields = copyFields(requireFields(value, null, 'TimestampConverter'));
        setField(fields, name, convert(times, null, fieldOf(fields, name)));
        return part.replace(record, null, fields);
      }
      const plan = plans.of(schema);
      if (value === null) return part.replace(record, plan.schema, null);
      const fields = requireFields(value, schema, 'TimestampConverter');
      return part.replace(record, plan.schema, converted(copyFields(fields), plan, times, name));
    },
  };
}

function converted(
  fields: Record<string, unknown>,
  plan: Omit<Plan, 'schema'>,
  times: Times,
  name: string,
): Record<string, unknown> {
  settleNulls(fields, plan.nulls);
  if (plan.field !== null)
    setField(fields, name, convert(times, sourceOf(plan.field), fieldOf(fields, name)));
  return fields;
}

function convert(times: Times, source: Source | null, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  return writeTime(times, readTime(times, source, value));
}

function planFor(schema: Schema, times: Times, name: string, replaceNull: boolean): Plan {
  if (schema.type !== 'STRUCT')
    throw new DataError(`TimestampConverter: a value of type ${schema.type} has no field ${name}`, {
      code: 'NOT_A_STRUCT',
    });
  const builder = structLike(schema);
  let time: Schema | null = null;
  for (const { name: fieldName, schema: field } of schema.fields ?? []) {
    const isTime = fieldName === name;
    if (isTime) time = field;
    builder.field(fieldName, isTime ? schemaFor(times.target, field.optional) : field);
  }
  if (schema.optional) builder.optional();
  const nulls = nullRuleOf(schema, replaceNull);
  if (schema.defaultValue === undefined) return { schema: builder.build(), nulls, field: time };
  const standIn = copyFields(requireFields(schema.defaultValue, schema, 'TimestampConverter'));
  return {
    schema: builder.default(converted(standIn, { nulls, field: time }, times, name)).build(),
    nulls,
    field: time,
  };
}

export const Key = { type: 'transformation', plugin: timestampConverter(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: timestampConverter(VALUE) } satisfies Plugin;
