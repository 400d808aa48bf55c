import { ConfigError, DataError, fieldOf, PerSchema, setField, withHeaders } from '../sdk/index.js';
import type { Fields, Header, Plugin, Schema, Transform } from '../sdk/index.js';
import {
  KEY,
  nullInField,
  nullRuleOf,
  REPLACE_NULL_KEY,
  requireFields,
  settleNulls,
  structLike,
  VALUE,
  type NullRule,
  type Part,
} from './part.js';

const someItems = (value: unknown): string | null =>
  Array.isArray(value) && value.length > 0 ? null : 'must name at least one';

/** A field and the header that is made of it. */
interface Pair {
  readonly field: string;
  readonly header: string;
}

/** What is done with the values of one schema. */
interface Plan {
  readonly schema: Schema;
  readonly nulls: NullRule;
  readonly headers: readonly (Pair & { readonly schema: Schema; readonly standIn: unknown })[];
}

/** Makes headers of fields. */
function headerFrom(part: Part): Transform {
  return {
    version: '1.0.0',
    config: [
      {
        name: 'fields',
        type: 'LIST',
        importance: 'HIGH',
        documentation: 'Names of the fields of which headers are made.',
        validator: someItems,
      },
      {
        name: 'headers',
        type: 'LIST',
        importance: 'HIGH',
        documentation: 'Names of the headers, in the order of the fields.',
        validator: someItems,
      },
      {
        name: 'operation',
        type: 'STRING',
        allowed: ['move', 'copy'],
        importance: 'HIGH',
        documentation: 'move: the fields are taken away. copy: they stay.',
      },
      REPLACE_NULL_KEY,
    ],
    create: (config) => {
      const pairs = pairsOf(config.list('fields'), config.list('headers'));
      const moves = config.string('operation') === 'move';
      const moved = new Set(moves ? pairs.map(({ field }) => field) : []);
      const replaceNull = config.boolean('replace.null.with.default');
      const plans = new PerSchema((schema) => planFor(schema, pairs, moved, replaceNull));
      return {
        apply: (record) => {
          const schema = part.schema(record);
          const value = requireFields(part.value(record), schema, 'HeaderFrom');
          const plan = schema === null ? null : plans.of(schema);
          const made = plan === null ? plainHeaders(value, pairs) : headersOf(value, plan);
          const headed = withHeaders(record, [...record.headers, ...made]);
          if (!moves) return headed;
          const fields = without(value, moved);
          if (plan !== null) settleNulls(fields, plan.nulls);
          return part.replace(headed, plan === null ? null : plan.schema, fields);
        },
      };
    },
  };
}

function pairsOf(fields: readonly string[], headers: readonly string[]): readonly Pair[] {
  if (fields.length !== headers.length)
    throw new ConfigError(
      `there are ${fields.length} fields and ${headers.length} headers: each field needs the name of a header`,
      { field: 'headers' },
    );
  return fields.map((field, i) => ({ field, header: headers[i] ?? '' }));
}

function planFor(
  schema: Schema,
  pairs: readonly Pair[],
  moved: ReadonlySet<string>,
  replaceNull: boolean,
): Plan {
  const headers = pairs.map((pair) => {
    const found = schema.fields?.find((field) => field.name === pair.field)?.schema;
    if (found === undefined)
      throw new DataError(`HeaderFrom: the schema has no field ${pair.field}`, { code: 'NO_SUCH_FIELD' });
    return { ...pair, schema: found, standIn: replaceNull ? found.defaultValue : undefined };
  });
  const builder = structLike(schema);
  for (const { name, schema: field } of schema.fields ?? []) if (!moved.has(name)) builder.field(name, field);
  const left = builder.build();
  return { schema: left, nulls: nullRuleOf(left, replaceNull), headers };
}

function plainHeaders(value: Fields, pairs: readonly Pair[]): readonly Header[] {
  return pairs.map(({ field, header }) => ({
    key: header,
    schema: null,
    value: fieldOf(value, field) ?? null,
  }));
}

function headersOf(value: Fields, { headers }: Plan): readonly Header[] {
  return headers.map(({ field, header, schema, standIn }) => {
    const found = fieldOf(value, field) ?? standIn ?? null;
    if (found === null && !schema.optional) throw nullInField(field);
    return { key: header, schema, value: found };
  });
}

/** Field by field: to take one away from a copy makes the engine treat it as a dictionary. */
function without(value: Fields, moved: ReadonlySet<string>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name in value) if (!moved.has(name)) setField(fields, name, value[name]);
  return fields;
}

export const Key = { type: 'transformation', plugin: headerFrom(KEY) } satisfies Plugin;
export const Value = { type: 'transformation', plugin: headerFrom(VALUE) } satisfies Plugin;
