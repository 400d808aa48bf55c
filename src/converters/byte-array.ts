import { DataError, describeValue, OPTIONAL_BYTES_SCHEMA } from '../sdk/index.js';
import type { Converter, Plugin, Schema, SchemaAndValue } from '../sdk/index.js';

/** Bytes as they are. What is read has the schema optional BYTES. */
const converter: Converter = {
  version: '1.0.0',
  input: 'bytes',
  config: [],
  create: () => ({ fromConnectData, toConnectData }),
};

function fromConnectData(_topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
  if (schema !== null && schema.type !== 'BYTES') {
    throw new DataError(
      `ByteArrayConverter takes values of type BYTES, not ${schema.type}: choose another converter for them`,
      { code: 'WRONG_CONVERTER' },
    );
  }
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return value;
  throw new DataError(
    `ByteArrayConverter takes bytes, not ${describeValue(value)}: choose another converter for such values`,
    { code: 'WRONG_CONVERTER' },
  );
}

function toConnectData(_topic: string, data: Uint8Array | string | null): SchemaAndValue {
  return { schema: OPTIONAL_BYTES_SCHEMA, value: typeof data === 'string' ? Buffer.from(data) : data };
}

export default { type: 'converter', plugin: converter } satisfies Plugin;
