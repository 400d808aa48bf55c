/** Schemas that need no building, and the logical types under Kafka Connect's names. */
import { DataError } from './errors.js';
import { SchemaBuilder } from './schema-builder.js';
import type { Schema, SchemaType } from './schema.js';

type Primitive = Exclude<SchemaType, 'ARRAY' | 'MAP' | 'STRUCT'>;

const required = (type: Primitive): Schema => SchemaBuilder.of(type).build();
const optional = (type: Primitive): Schema => SchemaBuilder.of(type).optional().build();

export const INT8_SCHEMA = required('INT8');
export const INT16_SCHEMA = required('INT16');
export const INT32_SCHEMA = required('INT32');
export const INT64_SCHEMA = required('INT64');
export const FLOAT32_SCHEMA = required('FLOAT32');
export const FLOAT64_SCHEMA = required('FLOAT64');
export const BOOLEAN_SCHEMA = required('BOOLEAN');
export const STRING_SCHEMA = required('STRING');
export const BYTES_SCHEMA = required('BYTES');

export const OPTIONAL_INT8_SCHEMA = optional('INT8');
export const OPTIONAL_INT16_SCHEMA = optional('INT16');
export const OPTIONAL_INT32_SCHEMA = optional('INT32');
export const OPTIONAL_INT64_SCHEMA = optional('INT64');
export const OPTIONAL_FLOAT32_SCHEMA = optional('FLOAT32');
export const OPTIONAL_FLOAT64_SCHEMA = optional('FLOAT64');
export const OPTIONAL_BOOLEAN_SCHEMA = optional('BOOLEAN');
export const OPTIONAL_STRING_SCHEMA = optional('STRING');
export const OPTIONAL_BYTES_SCHEMA = optional('BYTES');

/** Days since 1970, INT32. The value is a Date at midnight UTC. */
export const DATE_NAME = 'org.apache.kafka.connect.data.Date';
/** Milliseconds since midnight, INT32. The value is a Date on 1970-01-01. */
export const TIME_NAME = 'org.apache.kafka.connect.data.Time';
/** Milliseconds since 1970, INT64. The value is a Date. */
export const TIMESTAMP_NAME = 'org.apache.kafka.connect.data.Timestamp';
/** Two's complement bytes with the scale as a parameter, BYTES. The value is a Decimal. */
export const DECIMAL_NAME = 'org.apache.kafka.connect.data.Decimal';

const logical = (type: Primitive, name: string): SchemaBuilder =>
  SchemaBuilder.of(type).name(name).version(1);

export const DATE_SCHEMA = logical('INT32', DATE_NAME).build();
export const TIME_SCHEMA = logical('INT32', TIME_NAME).build();
export const TIMESTAMP_SCHEMA = logical('INT64', TIMESTAMP_NAME).build();
export const OPTIONAL_DATE_SCHEMA = logical('INT32', DATE_NAME).optional().build();
export const OPTIONAL_TIME_SCHEMA = logical('INT32', TIME_NAME).optional().build();
export const OPTIONAL_TIMESTAMP_SCHEMA = logical('INT64', TIMESTAMP_NAME).optional().build();

/** A builder, so that `optional()` and a default can follow. */
export function decimalSchema(scale: number): SchemaBuilder {
  return logical('BYTES', DECIMAL_NAME).parameter('scale', String(scale));
}

export type LogicalType = 'Date' | 'Time' | 'Timestamp' | 'Decimal';

/** The logical type of a schema whose values are not those of its plain type, else null. */
export function logicalType(schema: Schema): LogicalType | null {
  switch (schema.name) {
    case DATE_NAME:
      return schema.type === 'INT32' ? 'Date' : null;
    case TIME_NAME:
      return schema.type === 'INT32' ? 'Time' : null;
    case TIMESTAMP_NAME:
      return schema.type === 'INT64' ? 'Timestamp' : null;
    case DECIMAL_NAME:
      return schema.type === 'BYTES' ? 'Decimal' : null;
    default:
      return null;
  }
}

/** Digits after the point of a Decimal schema. DataError BAD_SCHEMA without a good `scale` parameter. */
export function decimalScale(schema: Schema): number {
  const text = schema.parameters?.['scale'];
  if (text === undefined || !/^-?\d{1,5}$/.test(text)) {
    throw new DataError(
      `a Decimal schema needs the parameter "scale", a whole number, not ${text === undefined ? 'none' : JSON.stringify(text)}`,
      { code: 'BAD_SCHEMA' },
    );
  }
  return Number(text);
}
