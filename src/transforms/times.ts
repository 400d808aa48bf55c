/** Times in the forms that TimestampConverter knows, and from one to another. */
import {
  DataError,
  DATE_SCHEMA,
  describeValue,
  INT64_SCHEMA,
  logicalType,
  OPTIONAL_DATE_SCHEMA,
  OPTIONAL_INT64_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  OPTIONAL_TIME_SCHEMA,
  OPTIONAL_TIMESTAMP_SCHEMA,
  STRING_SCHEMA,
  TIME_SCHEMA,
  TIMESTAMP_SCHEMA,
} from '../sdk/index.js';
import type { JavaDateFormat, Schema } from '../sdk/index.js';

export const TARGETS = ['string', 'unix', 'Date', 'Time', 'Timestamp'] as const;
export type TimeTarget = (typeof TARGETS)[number];
/** Without a schema a value tells by itself. */
export type Source = 'string' | 'unix' | 'date';
export const PRECISIONS = ['nanoseconds', 'microseconds', 'milliseconds', 'seconds'] as const;
type Precision = (typeof PRECISIONS)[number];

export interface Times {
  readonly target: TimeTarget;
  readonly format: JavaDateFormat | null;
  readonly precision: Precision;
}

const DAY_MS = 86_400_000;
const MAX_INT64 = 2n ** 63n - 1n;
const SCHEMAS: Readonly<Record<TimeTarget, readonly [required: Schema, optional: Schema]>> = {
  string: [STRING_SCHEMA, OPTIONAL_STRING_SCHEMA],
  unix: [INT64_SCHEMA, OPTIONAL_INT64_SCHEMA],
  Date: [DATE_SCHEMA, OPTIONAL_DATE_SCHEMA],
  Time: [TIME_SCHEMA, OPTIONAL_TIME_SCHEMA],
  Timestamp: [TIMESTAMP_SCHEMA, OPTIONAL_TIMESTAMP_SCHEMA],
};

export function targetOf(text: string): TimeTarget {
  return TARGETS.find((target) => target === text) ?? 'Timestamp';
}

export function precisionOf(text: string): Precision {
  return PRECISIONS.find((precision) => precision === text) ?? 'milliseconds';
}

export function schemaFor(target: TimeTarget, optional: boolean): Schema {
  return SCHEMAS[target][optional ? 1 : 0];
}

/** Throws DataError NO_TIME for a schema whose values are no times. */
export function sourceOf(schema: Schema): Source {
  const logical = logicalType(schema);
  if (logical !== null && logical !== 'Decimal') return 'date';
  if (schema.type === 'STRING') return 'string';
  if (schema.type === 'INT64') return 'unix';
  throw noTime(`a value of type ${schema.type} is no time`);
}

/** Milliseconds since 1970. `source` null: the value has no schema. */
export function readTime(times: Times, source: Source | null, value: unknown): number {
  if (typeof value === 'string' && (source ?? 'string') === 'string') return readText(times, value);
  if (value instanceof Date && (source ?? 'date') === 'date') return value.getTime();
  const isLong = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (isLong && (source ?? 'unix') === 'unix')
    return readUnix(times.precision, BigInt(value as bigint | number));
  throw noTime(`${describeValue(value)} is no time`);
}

function readText({ format }: Times, text: string): number {
  if (format === null) throw noTime(`the time ${describeValue(text)} cannot be read without a format`);
  if (format.unreadable !== null) throw noTime(`format: ${format.unreadable}`);
  const time = format.parse(text);
  if (time === null) throw noTime(`${describeValue(text)} is no time in the format that is set`);
  return time;
}

function readUnix(precision: Precision, value: bigint): number {
  const ms = Number(millisOf(precision, value));
  if (Number.isNaN(new Date(ms).getTime()))
    throw noTime(`${value} ${precision} since 1970 are beyond the year 275760`);
  return ms;
}

/** What is less than a millisecond is cut off, towards 1970. */
function millisOf(precision: Precision, value: bigint): bigint {
  if (precision === 'seconds') return value * 1000n;
  if (precision === 'microseconds') return value / 1000n;
  return precision === 'nanoseconds' ? value / 1_000_000n : value;
}

export function writeTime({ target, format, precision }: Times, ms: number): unknown {
  switch (target) {
    case 'string':
      return format?.format(ms) ?? null;
    case 'unix':
      return unixOf(precision, BigInt(ms));
    case 'Date':
      return new Date(Math.floor(ms / DAY_MS) * DAY_MS);
    case 'Time':
      return new Date(ms - Math.floor(ms / DAY_MS) * DAY_MS);
    case 'Timestamp':
      return new Date(ms);
  }
}

function unixOf(precision: Precision, ms: bigint): number | bigint {
  const value =
    precision === 'seconds'
      ? ms / 1000n
      : precision === 'microseconds'
        ? ms * 1000n
        : precision === 'nanoseconds'
          ? ms * 1_000_000n
          : ms;
  // As Java's TimeUnit, which stops at the ends of a long.
  const held = value > MAX_INT64 ? MAX_INT64 : value < -MAX_INT64 - 1n ? -MAX_INT64 - 1n : value;
  const number = Number(held);
  return Number.isSafeInteger(number) ? number : held;
}

function noTime(message: string): DataError {
  return new DataError(`TimestampConverter: ${message}`, { code: 'NO_TIME' });
}
