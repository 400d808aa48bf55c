/** Parsed JSON → values. A reader is made once for a schema. */
import { Decimal } from '../decimal.js';
import { DataError } from '../errors.js';
import { finite, losesDigits, NumberText } from '../exact-json.js';
import { PerSchema } from '../per-schema.js';
import { decimalScale, logicalType } from '../schema-constants.js';
import { describeValue, fieldOf, isFields, isInherited, setField } from '../value.js';
import type { Schema } from '../schema.js';
import { part } from './schema-parts.js';

export type JsonRead = (json: unknown) => unknown;

/** Thrown where JSON.parse may have lost digits: parse again with `parseExact` and read that. */
export const NEEDS_EXACT = new Error('a number needs more digits than a JavaScript number holds');

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const NON_NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);
const DAY_MS = 86_400_000;

/** What is wrong and where: it collects its path on the way out. */
class Problem extends Error {
  path = '';
}

/**
 * Of JSON's values, as JsonConverter has them. `mapEntries`: how maps whose keys are no texts stand: as arrays of pairs, or of `{key, value}`.
 * @experimental
 */
export class JsonReaders {
  readonly #replaceNullWithDefault: boolean;
  readonly #asObjects: boolean;
  readonly #readers: PerSchema<JsonRead> = new PerSchema((schema) =>
    this.#nullable(schema, this.#present(schema)),
  );

  constructor(replaceNullWithDefault: boolean, mapEntries: 'pairs' | 'objects' = 'pairs') {
    this.#replaceNullWithDefault = replaceNullWithDefault;
    this.#asObjects = mapEntries === 'objects';
  }

  /** Throws DataError SCHEMA_MISMATCH with the path, or NEEDS_EXACT. */
  of(schema: Schema): JsonRead {
    const read = this.#readers.of(schema);
    return (json) => {
      try {
        return read(json);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        throw new DataError(`payload${error.path}: ${error.message}`, { code: 'SCHEMA_MISMATCH' });
      }
    };
  }

  #nullable(schema: Schema, present: JsonRead): JsonRead {
    const { optional, defaultValue } = schema;
    const replaced = defaultValue !== undefined && this.#replaceNullWithDefault;
    return (json) => {
      if (json !== null && json !== undefined) return present(json);
      if (replaced) return defaultValue;
      if (optional) return null;
      throw new Problem(`null stands where the schema requires ${schema.type}`);
    };
  }

  #present(schema: Schema): JsonRead {
    switch (logicalType(schema)) {
      case 'Date':
        return (json) => date(int(json, 0x80000000) * DAY_MS, json);
      case 'Time':
        return timeOfDay;
      case 'Timestamp':
        return (json) => date(int64(json), json);
      case 'Decimal':
        return decimalReader(schema);
      case null:
        break;
    }
    switch (schema.type) {
      case 'INT8':
        return (json) => int(json, 0x80);
      case 'INT16':
        return (json) => int(json, 0x8000);
      case 'INT32':
        return (json) => int(json, 0x80000000);
      case 'INT64':
        return int64;
      case 'FLOAT32':
        return (json) => single(float(json), json);
      case 'FLOAT64':
        return float;
      case 'BOOLEAN':
        return (json) => (typeof json === 'boolean' ? json : mismatch('true or false', json));
      case 'STRING':
        return (json) => (typeof json === 'string' ? json : mismatch('text', json));
      case 'BYTES':
        return bytes;
      case 'ARRAY':
        return this.#array(schema);
      case 'MAP':
        return this.#map(schema);
      case 'STRUCT':
        return this.#struct(schema);
    }
  }

  #array(schema: Schema): JsonRead {
    const read = this.#readers.of(part(schema, schema.valueSchema));
    return (json) => {
      if (!Array.isArray(json)) return mismatch('an array', json);
      return json.map((item: unknown, i) => readAt(`[${i}]`, read, item));
    };
  }

  /** From an object, or from an array of pairs. A Map where keys are not text. */
  #map(schema: Schema): JsonRead {
    const keySchema = part(schema, schema.keySchema);
    const readKey = this.#readers.of(keySchema);
    const readItem = this.#readers.of(part(schema, schema.valueSchema));
    const asObject = keySchema.type === 'STRING';
    const entries = this.#asObjects ? entryObject : entryPair;
    return (json) => {
      if (asObject) {
        if (!isFields(json)) return mismatch('an object', json);
        const fields: Record<string, unknown> = {};
        for (const name of Object.keys(json))
          setField(fields, name, readAt(`[${name}]`, readItem, json[name]));
        return fields;
      }
      if (!Array.isArray(json)) return mismatch('an array of pairs', json);
      return new Map(
        json.map((pair: unknown, i) => {
          const [key, item] = entries(pair);
          return [readAt(`[${i}] key`, readKey, key), readAt(`[${i}]`, readItem, item)] as const;
        }),
      );
    };
  }

  /** Fields that the schema does not know are left out, as in Kafka Connect. */
  #struct(schema: Schema): JsonRead {
    const fields = (schema.fields ?? []).map((field) => ({
      name: field.name,
      read: this.#readers.of(field.schema),
      inherited: isInherited(field.name),
    }));
    return (json) => {
      if (!isFields(json)) return mismatch('an object', json);
      const value: Record<string, unknown> = {};
      let current = '';
      try {
        for (const { name, read, inherited } of fields) {
          current = name;
          if (inherited) setField(value, name, read(fieldOf(json, name)));
          else value[name] = read(json[name]);
        }
      } catch (error) {
        throw located(error, `.${current}`);
      }
      return value;
    };
  }
}

function entryPair(json: unknown): readonly unknown[] {
  return Array.isArray(json) && json.length === 2 ? json : mismatch('a pair', json);
}

function entryObject(json: unknown): readonly unknown[] {
  return isFields(json)
    ? [fieldOf(json, 'key'), fieldOf(json, 'value')]
    : mismatch('an object of key and value', json);
}

/** The value of JSON without a schema: itself, once it is clear that JSON.parse lost no digits. */
export function readSchemaless(json: unknown): unknown {
  if (losesDigits(json)) throw NEEDS_EXACT;
  return json;
}

function readAt(place: string, read: JsonRead, json: unknown): unknown {
  try {
    return read(json);
  } catch (error) {
    throw located(error, place);
  }
}

function located(error: unknown, place: string): unknown {
  if (error instanceof Problem) error.path = place + error.path;
  return error;
}

/** A number as JSON.parse would have given it. */
function plain(json: unknown): unknown {
  return json instanceof NumberText ? Number(json.text) : json;
}

function int(json: unknown, limit: number): number {
  const value = plain(json);
  if (typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit) return value;
  return mismatch(`a whole number from -${limit} to ${limit - 1}`, value);
}

function int64(json: unknown): number | bigint {
  if (typeof json === 'number') {
    if (Number.isSafeInteger(json)) return json;
    if (Number.isInteger(json)) throw NEEDS_EXACT;
  }
  if (typeof json === 'bigint' && BigInt.asIntN(64, json) === json) return json;
  const value = plain(json);
  return typeof value === 'number' && Number.isSafeInteger(value)
    ? value
    : mismatch('a whole number of 64 bits', value);
}

function float(json: unknown): number {
  if (typeof json === 'number') return finite(json);
  if (typeof json === 'bigint') return finite(Number(json));
  if (json instanceof NumberText) return finite(Number(json.text));
  return NON_NUMBERS.get(json) ?? mismatch('a number', json);
}

/** The float next to it, which the type can hold. */
function single(value: number, json: unknown): number {
  const rounded = Math.fround(value);
  return Number.isFinite(value) && !Number.isFinite(rounded) ? mismatch('a float', json) : rounded;
}

function bytes(json: unknown): Uint8Array {
  if (typeof json !== 'string' || !BASE64.test(json)) return mismatch('base64 text', json);
  return new Uint8Array(Buffer.from(json, 'base64'));
}

/** Both formats are read, whatever `decimal.format` says: it is for writing. */
function decimalReader(schema: Schema): JsonRead {
  const scale = decimalScale(schema);
  return (json) => {
    try {
      if (typeof json === 'string') return Decimal.fromBytes(bytes(json), scale);
      if (typeof json === 'bigint') return new Decimal(json, 0).withScale(scale);
      if (json instanceof NumberText) return Decimal.parse(json.text).withScale(scale);
      if (typeof json !== 'number') return mismatch('a number or base64 text', json);
      if (!Number.isSafeInteger(json)) throw NEEDS_EXACT;
      return new Decimal(BigInt(json), 0).withScale(scale);
    } catch (error) {
      if (error instanceof DataError) throw new Problem(error.message, { cause: error });
      throw error;
    }
  };
}

function timeOfDay(json: unknown): Date {
  const ms = int(json, 0x80000000);
  return ms >= 0 && ms < DAY_MS ? new Date(ms) : mismatch('milliseconds of one day', json);
}

function date(ms: number | bigint, json: unknown): Date {
  const value = new Date(Number(ms));
  return Number.isNaN(value.getTime()) ? mismatch('a time that a Date can hold', json) : value;
}

function mismatch(wanted: string, json: unknown): never {
  throw new Problem(`${describeValue(plain(json))} stands where the schema wants ${wanted}`);
}
