/** Columns for schemas, and values as SQL takes them. */
import { DataError, Decimal, decimalScale, logicalType, type Schema } from '@troupe/sdk';

export interface Column {
  readonly name: string;
  /** As in CREATE TABLE. */
  readonly type: string;
}

export type SqlValue = string | number | boolean | Buffer | null;

const TYPES: Readonly<Partial<Record<Schema['type'], string>>> = {
  INT8: 'TINYINT',
  INT16: 'SMALLINT',
  INT32: 'INT',
  INT64: 'BIGINT',
  FLOAT32: 'FLOAT',
  FLOAT64: 'DOUBLE',
  BOOLEAN: 'BOOLEAN',
  STRING: 'LONGTEXT CHARACTER SET utf8mb4',
  BYTES: 'LONGBLOB',
};
/** An index cannot hold a whole text; keys that differ in their letters only are two. */
const KEY_TEXT = 'VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';

export function columnOf(name: string, schema: Schema): Column {
  switch (logicalType(schema)) {
    case 'Date':
      return { name, type: 'DATE' };
    case 'Time':
      return { name, type: 'TIME(3)' };
    case 'Timestamp':
      return { name, type: 'DATETIME(3)' };
    case 'Decimal':
      return { name, type: `DECIMAL(65, ${decimalScale(schema)})` };
    case null: {
      const type = TYPES[schema.type];
      if (type === undefined) throw new DataError(`the column ${name} would be a ${schema.type}`);
      return { name, type };
    }
  }
}

/** Keys are whole numbers or texts, with a schema or without. */
export function keyColumnOf(name: string, key: unknown): Column {
  if (typeof key === 'string') return { name, type: KEY_TEXT };
  if (typeof key === 'bigint' || Number.isSafeInteger(key)) return { name, type: 'BIGINT' };
  throw new DataError('a record needs a key that is a whole number or a text');
}

export function sqlValue(schema: Schema | null, value: unknown): SqlValue {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return dateText(schema, value);
  if (value instanceof Decimal || typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new DataError(`MariaDB has no ${value}`);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new DataError(`MariaDB has no column for a ${typeof value}`);
}

function dateText(schema: Schema | null, date: Date): string {
  const text = date.toISOString();
  const [day = '', time = ''] = text.slice(0, -1).split('T');
  const logical = schema === null ? null : logicalType(schema);
  return logical === 'Date' ? day : logical === 'Time' ? time : `${day} ${time}`;
}
