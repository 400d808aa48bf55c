import { Decimal } from '../decimal.js';
import { DataError } from '../errors.js';
import { jsonTooDeep, MAX_JSON_DEPTH } from '../exact-json.js';
import { DATE_NAME, logicalType, TIMESTAMP_NAME } from '../schema-constants.js';
import type { Schema } from '../schema.js';
import { describeValue, fieldOf, isFields } from '../value.js';
import { decimalText, doubleText, floatText } from './number-text.js';

const DAY_MS = 86_400_000;

/**
 * A value as text, by the rules of Kafka Connect's Values, which its SimpleHeaderConverter goes by: texts as they are, bytes as base64,
 * times in ISO 8601, arrays in `[]`, maps and structs in `{}`, with quoted texts in them. null for no value. Throws DataError
 * NO_TEXT_FORM for what has none, and TOO_DEEP.
 */
export function valueText(schema: Schema | null, value: unknown): string | null {
  return value === null || value === undefined ? null : textOf(schema, value, false, 0);
}

function textOf(schema: Schema | null, value: unknown, embedded: boolean, depth: number): string {
  if (depth > MAX_JSON_DEPTH) throw jsonTooDeep();
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'string':
      return embedded ? quoted(value) : value;
    case 'number':
      return numberText(schema, value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
  }
  if (value instanceof Decimal) return decimalText(value);
  if (value instanceof Date) return dateText(schema, value);
  if (value instanceof Uint8Array) {
    const base64 = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    return embedded ? `"${base64}"` : base64;
  }
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => textOf(schema?.valueSchema ?? null, item, true, depth + 1));
    return `[${items.join(',')}]`;
  }
  const entries = entriesOf(schema, value);
  if (entries === null)
    throw new DataError(`${describeValue(value)} has no text form`, { code: 'NO_TEXT_FORM' });
  const texts = entries.map(
    ([keySchema, key, itemSchema, item]) =>
      `${textOf(keySchema, key, true, depth + 1)}:${textOf(itemSchema, item, true, depth + 1)}`,
  );
  return `{${texts.join(',')}}`;
}

type Entry = readonly [keySchema: Schema | null, key: unknown, itemSchema: Schema | null, item: unknown];

/** null: it is no map and no struct. */
function entriesOf(schema: Schema | null, value: object): readonly Entry[] | null {
  if (schema?.type === 'STRUCT' && isFields(value))
    return (schema.fields ?? []).map(({ name, schema: field }) => [
      null,
      name,
      field,
      fieldOf(value, name) ?? field.defaultValue ?? null,
    ]);
  if (!(value instanceof Map) && !isFields(value)) return null;
  const entries: readonly (readonly [unknown, unknown])[] =
    value instanceof Map ? [...value] : Object.entries(value);
  const [keySchema, valueSchema] = [schema?.keySchema ?? null, schema?.valueSchema ?? null];
  return entries.map(([key, item]) => [keySchema, key, valueSchema, item]);
}

/** Without a schema a whole number is no float. */
function numberText(schema: Schema | null, value: number): string {
  if (schema?.type === 'FLOAT32') return floatText(value);
  return schema?.type === 'FLOAT64' || !Number.isInteger(value) ? doubleText(value) : String(value);
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/**
 * The first day of 1970 is taken for a time of day, as Kafka Connect does, but not where a schema says that it is none; Kafka
 * Connect takes all of the time before it for times of day, too, and so loses the date.
 */
function dateText(schema: Schema | null, date: Date): string {
  const ms = date.getTime();
  if (Number.isNaN(ms))
    throw new DataError('a Date that is no time has no text form', { code: 'NO_TEXT_FORM' });
  const iso = isoText(date);
  const time = iso.indexOf('T');
  const named = schema !== null && logicalType(schema) !== null ? schema.name : null;
  if (ms >= 0 && ms < DAY_MS && named !== TIMESTAMP_NAME && named !== DATE_NAME) return iso.slice(time + 1);
  return ms % DAY_MS === 0 && (named !== TIMESTAMP_NAME || ms >= DAY_MS) ? iso.slice(0, time) : iso;
}

/** Java writes no sign before a year of more digits. */
function isoText(date: Date): string {
  return date.toISOString().replace(/^\+0*/, '');
}
