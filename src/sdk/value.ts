/** Checks of values against schemas. */
import { Decimal } from './decimal.js';
import { DataError } from './errors.js';
import { decimalScale, logicalType, type LogicalType } from './schema-constants.js';
import type { Schema } from './schema.js';

/** The fields of a struct. Read those that came from outside with `fieldOf`: a prototype has names of its own. */
export type Fields = Readonly<Record<string, unknown>>;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const DAY_MS = 86_400_000;

/**
 * Throws DataError SCHEMA_MISMATCH where the value does not fit. The message says where, from `path` on:
 * `value.items[3].price: …`. A missing field passes when it is optional or has a default.
 */
export function validateValue(schema: Schema, value: unknown, path = 'value'): void {
  if (value === null || value === undefined) {
    if (schema.optional || schema.defaultValue !== undefined) return;
    throw mismatch(path, schema, 'is missing, but the schema requires it');
  }
  const logical = logicalType(schema);
  if (logical !== null) {
    const problem = logicalProblem(logical, schema, value);
    if (problem !== null) throw mismatch(path, schema, problem);
  } else if (schema.type === 'STRUCT') {
    validateStruct(schema, value, path);
  } else if (schema.type === 'ARRAY') {
    if (!Array.isArray(value)) throw wrongType(path, schema, value);
    const items: readonly unknown[] = value;
    for (let i = 0; i < items.length; i += 1)
      validateValue(part(schema, 'valueSchema', path), items[i], `${path}[${i}]`);
  } else if (schema.type === 'MAP') {
    validateMap(schema, value, path);
  } else if (!fits(schema.type, value)) {
    throw wrongType(path, schema, value);
  }
}

function validateStruct(schema: Schema, value: unknown, path: string): void {
  if (!isFields(value)) throw wrongType(path, schema, value);
  const fields = schema.fields ?? [];
  for (const field of fields) {
    validateValue(
      field.schema,
      Object.hasOwn(value, field.name) ? value[field.name] : null,
      `${path}.${field.name}`,
    );
  }
  const names = new Set(fields.map((field) => field.name));
  const unknown = Object.keys(value).find((name) => !names.has(name));
  if (unknown !== undefined) throw mismatch(`${path}.${unknown}`, schema, 'is not a field of the schema');
}

function validateMap(schema: Schema, value: unknown, path: string): void {
  const keySchema = part(schema, 'keySchema', path);
  const valueSchema = part(schema, 'valueSchema', path);
  if (!(value instanceof Map) && !(keySchema.type === 'STRING' && isFields(value)))
    throw wrongType(path, schema, value);
  const entries: Iterable<readonly [unknown, unknown]> =
    value instanceof Map ? value.entries() : Object.entries(value);
  for (const [key, item] of entries) {
    validateValue(keySchema, key, `${path}, key ${describeValue(key)}`);
    validateValue(valueSchema, item, `${path}[${describeValue(key)}]`);
  }
}

/** True for a plain object: what stands for a STRUCT, or for a MAP with text keys. */
export function isFields(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function fits(type: Schema['type'], value: unknown): boolean {
  switch (type) {
    case 'INT8':
      return isInteger(value, 0x80);
    case 'INT16':
      return isInteger(value, 0x8000);
    case 'INT32':
      return isInteger(value, 0x80000000);
    case 'INT64':
      return typeof value === 'bigint'
        ? value >= MIN_INT64 && value <= MAX_INT64
        : Number.isSafeInteger(value);
    case 'FLOAT32':
    case 'FLOAT64':
      return typeof value === 'number';
    case 'BOOLEAN':
      return typeof value === 'boolean';
    case 'STRING':
      return typeof value === 'string';
    case 'BYTES':
      return value instanceof Uint8Array;
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return false;
  }
}

function isInteger(value: unknown, limit: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit;
}

function logicalProblem(logical: LogicalType, schema: Schema, value: unknown): string | null {
  if (logical === 'Decimal') {
    if (!(value instanceof Decimal)) return `must be a Decimal, not ${describeValue(value)}`;
    return scaleProblem(value, decimalScale(schema));
  }
  if (!(value instanceof Date) || Number.isNaN(value.getTime()))
    return `must be a valid Date, not ${describeValue(value)}`;
  const ms = value.getTime();
  if (logical === 'Date' && ms % DAY_MS !== 0) return `must be midnight UTC, not ${value.toISOString()}`;
  if (logical === 'Time' && (ms < 0 || ms >= DAY_MS))
    return `must be on 1970-01-01 UTC, not ${value.toISOString()}`;
  return null;
}

/** The same number may have another scale, as long as no digit is lost at the schema's. */
function scaleProblem(value: Decimal, scale: number): string | null {
  try {
    value.withScale(scale);
    return null;
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
}

function part(schema: Schema, name: 'keySchema' | 'valueSchema', path: string): Schema {
  const found = schema[name];
  if (found === undefined) throw mismatch(path, schema, `has a ${schema.type} schema without its ${name}`);
  return found;
}

function wrongType(path: string, schema: Schema, value: unknown): DataError {
  return mismatch(path, schema, `must be ${schema.type}, not ${describeValue(value)}`);
}

function mismatch(path: string, schema: Schema, problem: string): DataError {
  const named = schema.name === undefined ? '' : ` (schema ${schema.name})`;
  return new DataError(`${path}: ${problem}${named}`, { code: 'SCHEMA_MISMATCH' });
}

/** What a value is, for an error: its kind, and the value where it is short. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string')
    return `text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return `${typeof value} ${value}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  return isFields(value) ? 'an object' : `a ${kindOf(value)}`;
}

function kindOf(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  return typeof constructor === 'function' ? constructor.name : 'object';
}

/** The field's value, or undefined. Never what the prototype has under that name. */
export function fieldOf(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** Whether every object answers to the name, without having such a field: it must go through `fieldOf` and `setField`. */
export function isInherited(name: string): boolean {
  return name in {};
}

/** Sets an own field; the name `__proto__` is a field like any other. */
export function setField(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });
  else fields[name] = value;
}

/**
 * A copy that fields may be added to. Field by field, because adding one to the result of `{ ...fields }` makes the
 * engine build a new shape every time, which is ten times slower.
 */
export function copyFields(fields: Fields): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const name in fields) setField(copy, name, fields[name]);
  return copy;
}

/** An INT64 as a record has it: a number where it is a safe integer, else a bigint. Throws RangeError or SyntaxError for what is none. */
export function int64(value: string | bigint): number | bigint {
  const exact = BigInt(value);
  if (exact < MIN_INT64 || exact > MAX_INT64) throw new RangeError(`${exact} has more than 64 bits`);
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}
