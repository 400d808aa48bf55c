/** Defaults of schemas in Avro's JSON, in which bytes are texts of their codes. */
import { DataError, Decimal, describeValue, fieldOf, isFields, logicalType, type Schema } from '@troupe/sdk';
import type { AvroType } from './avro-schema.js';
import { toConnect } from './logical.js';

const DAY_MS = 86_400_000;

export function defaultJson(schema: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (value instanceof Date)
    return logicalType(schema) === 'Date' ? value.getTime() / DAY_MS : value.getTime();
  if (value instanceof Decimal) return latin1(value.toBytes());
  if (value instanceof Uint8Array) return latin1(value);
  if (typeof value === 'bigint') return exactNumber(value);
  if (Array.isArray(value))
    return value.map((item: unknown) => defaultJson(schema.valueSchema ?? schema, item));
  if (schema.type === 'STRUCT' && isFields(value))
    return Object.fromEntries(
      (schema.fields ?? []).map(({ name, schema: field }) => [
        name,
        defaultJson(field, fieldOf(value, name)),
      ]),
    );
  if (schema.type === 'MAP' && (value instanceof Map || isFields(value))) {
    const entries: readonly (readonly [unknown, unknown])[] =
      value instanceof Map ? [...value] : Object.entries(value);
    const items = entries.map(
      ([key, item]) => [key, defaultJson(schema.valueSchema ?? schema, item)] as const,
    );
    return schema.keySchema?.type === 'STRING'
      ? Object.fromEntries(items)
      : items.map(([key, item]) => ({ key: defaultJson(schema.keySchema ?? schema, key), value: item }));
  }
  return value;
}

/** JSON of a schema goes through JavaScript's numbers. */
function exactNumber(value: bigint): number {
  if (BigInt(Number(value)) === value) return Number(value);
  throw new DataError(`the default ${describeValue(value)} has more digits than an Avro schema keeps here`, {
    code: 'BAD_SCHEMA',
  });
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** The default of a field, as a value of Connect; undefined where it is null or none. */
export function defaultOf(type: AvroType, json: unknown): unknown {
  if (json === null || json === undefined) return undefined;
  switch (type.kind) {
    case 'union': {
      const branch = type.branches.find(({ kind }) => kind !== 'null');
      return branch === undefined ? undefined : defaultOf(branch, json);
    }
    case 'bytes':
    case 'fixed':
      return typeof json === 'string'
        ? toConnect(type, new Uint8Array(Buffer.from(json, 'latin1')))
        : undefined;
    case 'int':
    case 'long':
      return toConnect(type, json);
    case 'array':
      return Array.isArray(json) ? json.map((item) => defaultOf(type.items, item) ?? null) : undefined;
    case 'map':
      return isFields(json)
        ? Object.fromEntries(
            Object.entries(json).map(([key, item]) => [key, defaultOf(type.values, item) ?? null]),
          )
        : undefined;
    case 'record':
      return isFields(json)
        ? Object.fromEntries(
            type.fields.map(({ name, type: field, default: own }) => [
              name,
              defaultOf(field, fieldOf(json, name) ?? own) ?? null,
            ]),
          )
        : undefined;
    default:
      return json;
  }
}
