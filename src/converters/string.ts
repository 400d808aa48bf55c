import {
  DataError,
  Decimal,
  decimalText,
  doubleText,
  floatText,
  OPTIONAL_STRING_SCHEMA,
} from '../sdk/index.js';
import type { Converter, Plugin, Schema, SchemaAndValue } from '../sdk/index.js';

const NULL: SchemaAndValue = Object.freeze({ schema: OPTIONAL_STRING_SCHEMA, value: null });

/**
 * Text as it is. Other values are written as their text, objects and arrays as JSON. What is read has the schema
 * optional STRING.
 */
const converter: Converter = {
  version: '1.0.0',
  input: 'text',
  config: [
    {
      name: 'converter.encoding',
      aliases: ['encoding'],
      type: 'STRING',
      defaultValue: 'UTF-8',
      allowed: ['UTF-8', 'UTF8'],
      anyCase: true,
      importance: 'HIGH',
      documentation: 'How text is encoded. Only UTF-8 is supported.',
      group: 'String converter',
      displayName: 'Encoding',
    },
  ],
  create: () => ({ fromConnectData, toConnectData }),
};

function fromConnectData(_topic: string, schema: Schema | null, value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && schema?.type === 'FLOAT64') return doubleText(value);
  if (typeof value === 'number' && schema?.type === 'FLOAT32') return floatText(value);
  return value === null || value === undefined ? null : textOf(value);
}

function toConnectData(_topic: string, data: Uint8Array | string | null): SchemaAndValue {
  if (data === null) return NULL;
  return { schema: OPTIONAL_STRING_SCHEMA, value: typeof data === 'string' ? data : decode(data) };
}

function textOf(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  if (value instanceof Decimal) return decimalText(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return decode(value);
  try {
    const json: string | undefined = JSON.stringify(value, jsonValue);
    if (json !== undefined) return json;
  } catch (error) {
    throw new DataError('the value has no text form: it refers to itself', {
      code: 'NO_TEXT_FORM',
      cause: error,
    });
  }
  throw new DataError(`a ${typeof value} has no text form`, { code: 'NO_TEXT_FORM' });
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Map ? [...value.entries()] : value;
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

export default { type: 'converter', plugin: converter } satisfies Plugin;
