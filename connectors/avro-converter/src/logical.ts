/** The logical types that Connect has, too. The others are values of their plain type, as with Confluent's converter. */
import { DataError, Decimal, fieldOf } from '@troupe/sdk';
import type { AvroType } from './avro-schema.js';

export type Logical = 'Date' | 'Time' | 'Timestamp' | 'Decimal';

const DAY_MS = 86_400_000;

export function logicalOf(type: AvroType): Logical | null {
  const name = fieldOf(type.props, 'logicalType');
  switch (type.kind) {
    case 'int':
      return name === 'date' ? 'Date' : name === 'time-millis' ? 'Time' : null;
    case 'long':
      return name === 'timestamp-millis' ? 'Timestamp' : null;
    case 'bytes':
    case 'fixed':
      return name === 'decimal' ? 'Decimal' : null;
    default:
      return null;
  }
}

export function scaleOf(type: AvroType): number {
  const scale = fieldOf(type.props, 'scale');
  return typeof scale === 'number' ? scale : 0;
}

/** What was read, as a record has it. */
export function toConnect(type: AvroType, value: unknown): unknown {
  switch (logicalOf(type)) {
    case 'Date':
      return dateOf(Number(value) * DAY_MS);
    case 'Time':
    case 'Timestamp':
      return dateOf(Number(value));
    case 'Decimal':
      return value instanceof Uint8Array ? Decimal.fromBytes(value, scaleOf(type)) : value;
    case null:
      return value;
  }
}

function dateOf(ms: number): Date {
  const date = new Date(ms);
  if (!Number.isNaN(date.getTime())) return date;
  throw new DataError(`the Avro data has a time that no Date holds: ${ms} ms since 1970`, {
    code: 'BAD_AVRO',
  });
}
