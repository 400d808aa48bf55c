/** Values → JSON text. A writer is made once for a schema. */
import { Decimal } from '../decimal.js';
import { DataError } from '../errors.js';
import { jsonTooDeep, MAX_JSON_DEPTH } from '../exact-json.js';
import { PerSchema } from '../per-schema.js';
import { decimalScale, logicalType } from '../schema-constants.js';
import { describeValue, isFields, isInherited, validateValue } from '../value.js';
import type { Schema } from '../schema.js';
import { part } from './schema-parts.js';

export interface JsonWriteOptions {
  readonly decimalFormat: 'BASE64' | 'NUMERIC';
  /** A null of a field with a default is written as the default. */
  readonly replaceNullWithDefault: boolean;
  /** See `JsonReaders`. Default pairs. */
  readonly mapEntries?: 'pairs' | 'objects';
}

export type JsonWrite = (value: unknown) => string;

/** What must be escaped. A lone surrogate is not text, and JSON.stringify escapes it. */
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;
const DAY_MS = 86_400_000;

/**
 * Values as JSON, as JsonConverter writes them.
 * @experimental
 */
export class JsonWriters {
  readonly #options: JsonWriteOptions;
  readonly #writers: PerSchema<JsonWrite> = new PerSchema((schema) =>
    this.#nullable(schema, this.#present(schema)),
  );

  constructor(options: JsonWriteOptions) {
    this.#options = options;
  }

  /** Throws DataError for a value that does not fit, with the path to it. */
  of(schema: Schema): JsonWrite {
    const write = this.#writers.of(schema);
    return (value) => {
      try {
        return write(value);
      } catch (error) {
        // The writers do not know where they are; this does, and throws.
        validateValue(schema, value);
        throw error;
      }
    };
  }

  #nullable(schema: Schema, present: JsonWrite): JsonWrite {
    const { optional, defaultValue } = schema;
    const replaced =
      defaultValue !== undefined && defaultValue !== null && this.#options.replaceNullWithDefault;
    return (value) => {
      if (value !== null && value !== undefined) return present(value);
      if (replaced) return present(defaultValue);
      if (optional) return 'null';
      throw new DataError(`null stands where the schema requires ${schema.type}`, {
        code: 'SCHEMA_MISMATCH',
      });
    };
  }

  #present(schema: Schema): JsonWrite {
    switch (logicalType(schema)) {
      case 'Date':
        return (value) => String(days(value));
      case 'Time':
        return (value) => String(timeOfDay(value));
      case 'Timestamp':
        return (value) => String(time(value));
      case 'Decimal':
        return this.#decimal(decimalScale(schema));
      case null:
        break;
    }
    switch (schema.type) {
      case 'INT8':
        return integer(0x80);
      case 'INT16':
        return integer(0x8000);
      case 'INT32':
        return integer(0x80000000);
      case 'INT64':
        return (value) =>
          Number.isSafeInteger(value) || (typeof value === 'bigint' && BigInt.asIntN(64, value) === value)
            ? String(value)
            : mismatch('INT64', value);
      case 'FLOAT32':
      case 'FLOAT64':
        return (value) => (typeof value === 'number' ? floatText(value) : mismatch(schema.type, value));
      case 'BOOLEAN':
        return (value) => (typeof value === 'boolean' ? String(value) : mismatch('BOOLEAN', value));
      case 'STRING':
        return (value) => (typeof value === 'string' ? jsonString(value) : mismatch('STRING', value));
      case 'BYTES':
        return (value) => (value instanceof Uint8Array ? base64(value) : mismatch('BYTES', value));
      case 'ARRAY':
        return this.#array(schema);
      case 'MAP':
        return this.#map(schema);
      case 'STRUCT':
        return this.#struct(schema);
    }
  }

  /** At the schema's scale: a reader knows no other, and the bytes do not say it. */
  #decimal(scale: number): JsonWrite {
    const write = this.#options.decimalFormat === 'NUMERIC' ? numericDecimal : base64Decimal;
    return (value) => write(value instanceof Decimal ? value.withScale(scale) : value);
  }

  #array(schema: Schema): JsonWrite {
    const write = this.#writers.of(part(schema, schema.valueSchema));
    return (value) => (Array.isArray(value) ? `[${value.map(write).join(',')}]` : mismatch('ARRAY', value));
  }

  /** An object where the keys are text, else an array of pairs. */
  #map(schema: Schema): JsonWrite {
    const keySchema = part(schema, schema.keySchema);
    const writeKey = this.#writers.of(keySchema);
    const writeValue = this.#writers.of(part(schema, schema.valueSchema));
    const asObject = keySchema.type === 'STRING';
    const entry =
      this.#options.mapEntries === 'objects'
        ? (key: string, item: string) => `{"key":${key},"value":${item}}`
        : (key: string, item: string) => `[${key},${item}]`;
    return (value) => {
      const entries =
        value instanceof Map ? [...value] : isFields(value) ? Object.entries(value) : mismatch('MAP', value);
      return asObject
        ? `{${entries.map(([key, item]) => `${name(key)}:${writeValue(item)}`).join(',')}}`
        : `[${entries.map(([key, item]) => entry(writeKey(key), writeValue(item))).join(',')}]`;
    };
  }

  #struct(schema: Schema): JsonWrite {
    const fields = (schema.fields ?? []).map((field, i) => ({
      name: field.name,
      prefix: `${i === 0 ? '' : ','}${JSON.stringify(field.name)}:`,
      write: this.#writers.of(field.schema),
      inherited: isInherited(field.name),
    }));
    return (value) => {
      if (!isFields(value)) return mismatch('STRUCT', value);
      let text = '{';
      let present = 0;
      for (const { name, prefix, write, inherited } of fields) {
        const item = inherited && !Object.hasOwn(value, name) ? undefined : value[name];
        if (item !== undefined) present += 1;
        text += prefix + write(item);
      }
      // Other fields than the schema's must not be dropped in silence.
      if (Object.keys(value).length !== present) validateValue(schema, value);
      return `${text}}`;
    };
  }
}

/** JSON of a value without a schema. */
export function writeSchemaless(value: unknown, decimalFormat: JsonWriteOptions['decimalFormat']): string {
  return isPlain(value, 0) ? (JSON.stringify(value) ?? 'null') : writeAny(value, decimalFormat, 0);
}

/** Whether JSON.stringify writes the value as it is. */
function isPlain(value: unknown, depth: number): boolean {
  if (depth > MAX_JSON_DEPTH) throw jsonTooDeep();
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      if (value === null) return true;
      if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
      if (!isFields(value)) return false;
      for (const name in value) if (!isPlain(value[name], depth + 1)) return false;
      return true;
    default:
      return false;
  }
}

function writeAny(value: unknown, decimalFormat: JsonWriteOptions['decimalFormat'], depth: number): string {
  if (depth > MAX_JSON_DEPTH) throw jsonTooDeep();
  const write = (item: unknown): string => writeAny(item, decimalFormat, depth + 1);
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return jsonString(value);
  if (typeof value === 'number')
    return Number.isInteger(value) && !Object.is(value, -0) ? String(value) : floatText(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Uint8Array) return base64(value);
  if (value instanceof Decimal) {
    if (decimalFormat === 'NUMERIC') return numericDecimal(value);
    throw new DataError(
      `the decimal ${value.toString()} has no JSON form without a schema, since its scale would be lost: give the record a schema, or set decimal.format=NUMERIC`,
      { code: 'NO_JSON_FORM' },
    );
  }
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (value instanceof Map) return writeMap(value, write);
  if (isFields(value)) {
    const fields = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${fields.map(([name, item]) => `${jsonString(name)}:${write(item)}`).join(',')}}`;
  }
  throw new DataError(`${describeValue(value)} has no JSON form without a schema: give the record a schema`, {
    code: 'NO_JSON_FORM',
  });
}

function writeMap(map: ReadonlyMap<unknown, unknown>, write: JsonWrite): string {
  const entries = [...map].map(([key, item]) => [key, write(item)] as const);
  return entries.every(([key]) => typeof key === 'string')
    ? `{${entries.map(([key, item]) => `${jsonString(String(key))}:${item}`).join(',')}}`
    : `[${entries.map(([key, item]) => `[${write(key)},${item}]`).join(',')}]`;
}

function name(key: unknown): string {
  return typeof key === 'string' ? jsonString(key) : mismatch('text as the key of a map', key);
}

/** As a JSON string. */
export function jsonString(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** With a point, as Kafka Connect writes it: who reads it without the schema takes it for no integer either. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  const text = Object.is(value, -0) ? '-0' : String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

function integer(limit: number): JsonWrite {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit
      ? String(value)
      : mismatch('a whole number', value);
}

function time(value: unknown): number {
  const ms = value instanceof Date ? value.getTime() : NaN;
  return Number.isNaN(ms) ? mismatch('a valid Date', value) : ms;
}

function days(value: unknown): number {
  const count = time(value) / DAY_MS;
  return Number.isInteger(count) ? count : mismatch('a Date at midnight UTC', value);
}

function timeOfDay(value: unknown): number {
  const ms = time(value);
  return ms >= 0 && ms < DAY_MS ? ms : mismatch('a Date on 1970-01-01 UTC', value);
}

function numericDecimal(value: unknown): string {
  return value instanceof Decimal ? value.toString() : mismatch('a Decimal', value);
}

function base64Decimal(value: unknown): string {
  return value instanceof Decimal ? base64(value.toBytes()) : mismatch('a Decimal', value);
}

function base64(bytes: Uint8Array): string {
  return `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"`;
}

function mismatch(wanted: string, value: unknown): never {
  throw new DataError(`${describeValue(value)} stands where the schema wants ${wanted}`, {
    code: 'SCHEMA_MISMATCH',
  });
}
