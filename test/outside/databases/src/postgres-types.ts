/** What columns are in a record: their schemas, and their values from PostgreSQL's text. */
import type { FieldDef } from 'pg';
import {
  BOOLEAN_SCHEMA,
  BYTES_SCHEMA,
  DATE_SCHEMA,
  Decimal,
  decimalSchema,
  FLOAT32_SCHEMA,
  FLOAT64_SCHEMA,
  INT16_SCHEMA,
  INT32_SCHEMA,
  INT64_SCHEMA,
  int64,
  SchemaBuilder,
  STRING_SCHEMA,
  TIME_SCHEMA,
  TIMESTAMP_SCHEMA,
  type Schema,
} from '@troupe/sdk';

interface Type {
  readonly schema: Schema;
  readonly read: (text: string) => unknown;
}

const text = (value: string): unknown => value;
const dateOf = (value: string): Date => {
  // The parser of Date makes something of many a text, also of `infinity`.
  const date = new Date(/^\d{4,6}-/.test(value) ? value : NaN);
  if (Number.isNaN(date.getTime())) throw new RangeError(`${value} is no date of a record`);
  return date;
};

/** By the object ids of PostgreSQL's own types, which are the same everywhere. What is not here is text. */
const TYPES = new Map<number, Type>([
  [16, { schema: BOOLEAN_SCHEMA, read: (value) => value === 't' }],
  [17, { schema: BYTES_SCHEMA, read: (value) => Buffer.from(value.slice('\\x'.length), 'hex') }],
  [20, { schema: INT64_SCHEMA, read: int64 }],
  [21, { schema: INT16_SCHEMA, read: Number }],
  [23, { schema: INT32_SCHEMA, read: Number }],
  [700, { schema: FLOAT32_SCHEMA, read: Number }],
  [701, { schema: FLOAT64_SCHEMA, read: Number }],
  [1082, { schema: DATE_SCHEMA, read: dateOf }],
  [1083, { schema: TIME_SCHEMA, read: (value) => dateOf(`1970-01-01T${value}Z`) }],
  // Of microseconds a Timestamp keeps the milliseconds.
  [1114, { schema: TIMESTAMP_SCHEMA, read: (value) => dateOf(`${value.replace(' ', 'T')}Z`) }],
  [1184, { schema: TIMESTAMP_SCHEMA, read: (value) => dateOf(`${value.replace(' ', 'T')}:00`) }],
]);
const NUMERIC = 1700;

/** The columns of a result, as a struct: made once for each form that a table has had. */
export class RowType {
  readonly schema: Schema;
  readonly #columns: readonly { readonly name: string; readonly type: Type }[];

  constructor(name: string, idColumn: string, fields: readonly FieldDef[]) {
    this.#columns = fields.map((field) => ({ name: field.name, type: typeOf(field) }));
    const struct = SchemaBuilder.struct().name(name);
    for (const { name, type } of this.#columns)
      struct.field(
        name,
        name === idColumn ? type.schema : SchemaBuilder.from(type.schema).optional().build(),
      );
    this.schema = struct.build();
  }

  /** Throws for a value that no record can have, such as a date of `infinity`. */
  value(row: readonly (string | null)[]): Record<string, unknown> {
    return Object.fromEntries(
      this.#columns.map(({ name, type }, i) => {
        const value = row[i] ?? null;
        return [name, value === null ? null : type.read(value)];
      }),
    );
  }
}

/** The same for results of the same form. */
export function formOf(fields: readonly FieldDef[]): string {
  return JSON.stringify(
    fields.map(({ name, dataTypeID, dataTypeModifier }) => [name, dataTypeID, dataTypeModifier]),
  );
}

function typeOf({ dataTypeID, dataTypeModifier }: FieldDef): Type {
  // Without a modifier each value has a scale of its own, and the schema of a Decimal has one for all.
  if (dataTypeID === NUMERIC && dataTypeModifier >= 0)
    return {
      schema: decimalSchema((dataTypeModifier - 4) & 0xffff).build(),
      read: (value) => Decimal.parse(value),
    };
  return TYPES.get(dataTypeID) ?? { schema: STRING_SCHEMA, read: text };
}
