import { isUtf8 } from 'node:buffer';
import { BYTES_SCHEMA, parseValueText, valueText } from '../sdk/index.js';
import type { Converter, Plugin, Schema, SchemaAndValue } from '../sdk/index.js';

const NULL: SchemaAndValue = Object.freeze({ schema: null, value: null });

/** Values of headers as text, as Kafka Connect's SimpleHeaderConverter: what is read gets the type that its text looks like. */
const converter: Converter = {
  version: '1.0.0',
  input: 'bytes',
  config: [],
  create: () => ({ fromConnectData, toConnectData }),
};

function fromConnectData(_topic: string, schema: Schema | null, value: unknown): string | null {
  return valueText(schema, value);
}

function toConnectData(_topic: string, data: Uint8Array | string | null): SchemaAndValue {
  if (data === null) return NULL;
  if (typeof data === 'string') return parseValueText(data);
  // Others' headers may be anything: bytes that are no text stay what they are.
  if (!isUtf8(data)) return { schema: BYTES_SCHEMA, value: data };
  return parseValueText(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
}

export default { type: 'header_converter', plugin: converter } satisfies Plugin;
