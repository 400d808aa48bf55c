import { DataError, describeValue, OPTIONAL_BOOLEAN_SCHEMA } from '../sdk/index.js';
import type { Converter, Plugin, Schema, SchemaAndValue } from '../sdk/index.js';

/** One byte, 0 or 1. What is read has the schema optional BOOLEAN. */
const converter: Converter = {
  version: '1.0.0',
  input: 'bytes',
  config: [],
  create: () => ({ fromConnectData, toConnectData }),
};

function fromConnectData(_topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
  if (schema !== null && schema.type !== 'BOOLEAN')
    throw wrong(`values of type BOOLEAN, not ${schema.type}: choose another converter for them`);
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
  throw wrong(`true or false, not ${describeValue(value)}: choose another converter for such values`);
}

function toConnectData(_topic: string, data: Uint8Array | string | null): SchemaAndValue {
  if (data === null) return { schema: OPTIONAL_BOOLEAN_SCHEMA, value: null };
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const [byte] = bytes;
  if (bytes.length === 1 && (byte === 0 || byte === 1))
    return { schema: OPTIONAL_BOOLEAN_SCHEMA, value: byte === 1 };
  throw new DataError(
    'BooleanConverter reads one byte, 0 or 1: what is there was written by another converter',
    { code: 'BAD_BYTES' },
  );
}

function wrong(takes: string): DataError {
  return new DataError(`BooleanConverter takes ${takes}`, { code: 'WRONG_CONVERTER' });
}

export default { type: 'converter', plugin: converter } satisfies Plugin;
