/** One value as one of another type, as Java makes it. */
import {
  DataError,
  Decimal,
  describeValue,
  logicalType,
  narrowFloat,
  narrowWhole,
  nearestFloat,
  parseFloating,
  parseWhole,
  valueText,
  wholePart,
} from '../sdk/index.js';
import type { LogicalType, Schema } from '../sdk/index.js';

export const TARGETS = [
  'int8',
  'int16',
  'int32',
  'int64',
  'float32',
  'float64',
  'boolean',
  'string',
] as const;
export type Target = (typeof TARGETS)[number];

const BITS = { int8: 8, int16: 16, int32: 32, int64: 64 } as const;
const DAY_MS = 86_400_000;

/** null stays null. Without a schema a number is a long where it is whole, else a double. Throws DataError CANNOT_CAST. */
export function castValue(schema: Schema | null, value: unknown, target: Target): unknown {
  if (value === null || value === undefined) return null;
  const logical = schema === null ? null : logicalType(schema);
  checkInput(schema, value, target);
  if (target === 'string') return valueText(schema, value);
  const plain = value instanceof Date ? millisOrDays(value, logical) : value;
  if (typeof plain === 'string') return castText(plain, target);
  if (typeof plain === 'boolean') return target === 'boolean' ? plain : Number(plain);
  if (plain instanceof Decimal) return castExact(plain, wholePart(plain), target);
  if (typeof plain === 'bigint') return castExact(plain, plain, target);
  if (typeof plain !== 'number') throw cannot(value, target);
  const isFloat = schema === null ? !Number.isSafeInteger(plain) : schema.type.startsWith('FLOAT');
  return isFloat ? castFloat(plain, target) : castExact(BigInt(plain), BigInt(plain), target);
}

/** Those of the types that Kafka Connect casts; a value without a schema is none of a logical type. */
function checkInput(schema: Schema | null, value: unknown, target: Target): void {
  if (schema === null ? isObject(value) : ['ARRAY', 'MAP', 'STRUCT'].includes(schema.type))
    throw cannot(value, target);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && !(value instanceof Uint8Array);
}

function millisOrDays(date: Date, logical: LogicalType | null): number {
  const ms = date.getTime();
  if (logical === 'Date') {
    if (ms % DAY_MS !== 0) throw new DataError('a Date is to be midnight UTC', { code: 'CANNOT_CAST' });
    return ms / DAY_MS;
  }
  if (logical === 'Time' && (ms < 0 || ms > DAY_MS))
    throw new DataError('a Time is to be on 1970-01-01 UTC', { code: 'CANNOT_CAST' });
  return ms;
}

/** `whole` is the value without what follows the point. */
function castExact(value: bigint | Decimal, whole: bigint, target: Exclude<Target, 'string'>): unknown {
  switch (target) {
    case 'boolean':
      return narrowWhole(whole, 64) !== 0;
    case 'float32':
      return nearestFloat(value);
    case 'float64':
      return Number(value.toString());
    default:
      return narrowWhole(whole, BITS[target]);
  }
}

function castFloat(value: number, target: Exclude<Target, 'string'>): unknown {
  switch (target) {
    case 'boolean':
      return narrowFloat(value, 64) !== 0;
    case 'float32':
      return Math.fround(value);
    case 'float64':
      return value;
    default:
      return narrowFloat(value, BITS[target]);
  }
}

function castText(text: string, target: Exclude<Target, 'string'>): unknown {
  if (target === 'boolean') return text.toLowerCase() === 'true';
  const number =
    target === 'float32' || target === 'float64'
      ? parseFloating(text, target === 'float32' ? 'FLOAT32' : 'FLOAT64')
      : parseWhole(text, BITS[target]);
  if (number === null) throw cannot(text, target);
  return number;
}

function cannot(value: unknown, target: Target): DataError {
  return new DataError(`Cast cannot make ${target} of ${describeValue(value)}`, { code: 'CANNOT_CAST' });
}
