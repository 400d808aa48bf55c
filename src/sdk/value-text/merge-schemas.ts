/** One schema for several values of a text, and the values as ones of it: Kafka Connect's rules. */
import { Decimal } from '../decimal.js';
import { DATE_NAME, logicalType, TIMESTAMP_NAME, TIME_NAME } from '../schema-constants.js';
import type { Schema, SchemaType } from '../schema.js';
import { int64, isFields } from '../value.js';

/** Thrown inside of the parser: the text is no array, map or number after all. */
export class NotSo extends Error {}

const WIDTHS: ReadonlyMap<SchemaType, number> = new Map(
  (['INT8', 'INT16', 'INT32', 'INT64', 'FLOAT32', 'FLOAT64'] as const).map((type, width) => [type, width]),
);

/** null: there is none. */
function merged(previous: Schema, latest: Schema): Schema | null {
  if (previous.type === latest.type) return latest;
  const [width, latestWidth] = [WIDTHS.get(previous.type), WIDTHS.get(latest.type)];
  if (width === undefined || latestWidth === undefined) return null;
  return width > latestWidth ? previous : latest;
}

export class SchemaMerger {
  #common: Schema | null = null;
  #compatible = true;

  /** null, once two schemas have none in common, and as long as there was none. */
  get common(): Schema | null {
    return this.#common;
  }

  merge(latest: Schema | null): void {
    if (latest === null || !this.#compatible) return;
    this.#common = this.#common === null ? latest : merged(this.#common, latest);
    this.#compatible = this.#common !== null;
  }
}

/** Throws NotSo where it cannot be one. */
export function aligned(schema: Schema, value: unknown): unknown {
  if (value === null) throw new NotSo('null among values');
  switch (logicalType(schema)) {
    case 'Date':
    case 'Time':
    case 'Timestamp':
      return value instanceof Date ? value : dateOf(schema, numberOf(value));
    case 'Decimal':
      return value;
    case null:
      break;
  }
  switch (schema.type) {
    case 'INT8':
    case 'INT16':
    case 'INT32':
    case 'FLOAT64':
      return Number(numberOf(value));
    case 'INT64':
      return int64(BigInt(numberOf(value)));
    case 'FLOAT32':
      return Math.fround(Number(numberOf(value)));
    case 'STRUCT':
    case 'BYTES':
    case 'ARRAY':
    case 'MAP':
    case 'STRING':
    case 'BOOLEAN':
      return value;
  }
}

const DAY_MS = 86_400_000;

function dateOf(schema: Schema, number: number | bigint): Date {
  const date = new Date(Number(number) * (schema.name === DATE_NAME ? DAY_MS : 1));
  const outside = schema.name === TIME_NAME && (Number(number) < 0 || Number(number) > DAY_MS);
  if (outside || (schema.name === TIMESTAMP_NAME && Number.isNaN(date.getTime()))) throw new NotSo('no time');
  return date;
}

function numberOf(value: unknown): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  throw new NotSo(`no number: ${value instanceof Decimal || isFields(value) ? 'an object' : typeof value}`);
}
