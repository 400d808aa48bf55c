import { Buffer } from 'node:buffer';
import type { Header } from '../../sdk/record.js';

/** Header values as Kafka's SimpleHeaderConverter writes them: text as it is, bytes as they are, others as JSON. */
export function encodeHeader(_topic: string, header: Header): Uint8Array {
  const { value } = header;
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof value === 'bigint') return Buffer.from(value.toString(), 'utf8');
  return Buffer.from(JSON.stringify(value) ?? 'null', 'utf8');
}

export function decodeHeader(_topic: string, name: string, data: Uint8Array): Header {
  return { key: name, schema: null, value: Buffer.from(data).toString('utf8') };
}
