/** Numbers in the binary form of Kafka's serializers: big-endian, of one size. */
import {
  DataError,
  describeValue,
  int64,
  logicalType,
  OPTIONAL_FLOAT32_SCHEMA,
  OPTIONAL_FLOAT64_SCHEMA,
  OPTIONAL_INT16_SCHEMA,
  OPTIONAL_INT32_SCHEMA,
  OPTIONAL_INT64_SCHEMA,
} from '../sdk/index.js';
import type { Converter, Plugin, Schema, SchemaAndValue } from '../sdk/index.js';

interface NumberForm {
  readonly name: string;
  /** Of what is read. */
  readonly schema: Schema;
  readonly size: number;
  readonly fits: (value: unknown) => value is number | bigint;
  readonly write: (view: DataView, value: number | bigint) => void;
  readonly read: (view: DataView) => number | bigint;
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isInteger =
  (limit: number) =>
  (value: unknown): value is number =>
    isNumber(value) && Number.isInteger(value) && value >= -limit && value < limit;
const isInt64 = (value: unknown): value is number | bigint =>
  Number.isSafeInteger(value) || (typeof value === 'bigint' && BigInt.asIntN(64, value) === value);

function numberConverter(form: NumberForm): Converter {
  const { name, schema: readSchema, size, fits } = form;
  const nothing: SchemaAndValue = Object.freeze({ schema: readSchema, value: null });
  return {
    version: '1.0.0',
    input: 'bytes',
    config: [],
    create: () => ({
      fromConnectData: (_topic, schema, value) => {
        if (value === null || value === undefined) return null;
        if ((schema !== null && !isOf(schema, readSchema)) || !fits(value)) {
          const typed = schema === null ? '' : ` of a schema of type ${schema.name ?? schema.type}`;
          throw new DataError(
            `${name} takes values of type ${readSchema.type}, not ${describeValue(value)}${typed}: choose another converter for them`,
            { code: 'WRONG_CONVERTER' },
          );
        }
        const bytes = new Uint8Array(size);
        form.write(new DataView(bytes.buffer), value);
        return bytes;
      },
      toConnectData: (_topic, data) => {
        if (data === null) return nothing;
        const bytes = typeof data === 'string' ? Buffer.from(data) : data;
        if (bytes.length !== size)
          throw new DataError(
            `${name} reads ${size} bytes, not ${bytes.length}: what is there was written by another converter`,
            { code: 'BAD_BYTES' },
          );
        return {
          schema: readSchema,
          value: form.read(new DataView(bytes.buffer, bytes.byteOffset, size)),
        };
      },
    }),
  };
}

/** A logical type has other values than its plain type. */
function isOf(schema: Schema, wanted: Schema): boolean {
  return schema.type === wanted.type && logicalType(schema) === null;
}

const plugin = (form: NumberForm): Extract<Plugin, { type: 'converter' }> => ({
  type: 'converter',
  plugin: numberConverter(form),
});

export const Short = plugin({
  name: 'ShortConverter',
  schema: OPTIONAL_INT16_SCHEMA,
  size: 2,
  fits: isInteger(0x8000),
  write: (view, value) => view.setInt16(0, Number(value)),
  read: (view) => view.getInt16(0),
});

export const Integer = plugin({
  name: 'IntegerConverter',
  schema: OPTIONAL_INT32_SCHEMA,
  size: 4,
  fits: isInteger(0x80000000),
  write: (view, value) => view.setInt32(0, Number(value)),
  read: (view) => view.getInt32(0),
});

export const Long = plugin({
  name: 'LongConverter',
  schema: OPTIONAL_INT64_SCHEMA,
  size: 8,
  fits: isInt64,
  write: (view, value) => view.setBigInt64(0, BigInt(value)),
  read: (view) => int64(view.getBigInt64(0)),
});

export const Float = plugin({
  name: 'FloatConverter',
  schema: OPTIONAL_FLOAT32_SCHEMA,
  size: 4,
  fits: isNumber,
  write: (view, value) => view.setFloat32(0, Number(value)),
  read: (view) => view.getFloat32(0),
});

export const Double = plugin({
  name: 'DoubleConverter',
  schema: OPTIONAL_FLOAT64_SCHEMA,
  size: 8,
  fits: isNumber,
  write: (view, value) => view.setFloat64(0, Number(value)),
  read: (view) => view.getFloat64(0),
});
