import { Buffer } from 'node:buffer';
import { DataError } from '../../sdk/errors.js';
import type { Header } from '../../sdk/record.js';

/** Header values as Kafka's SimpleHeaderConverter writes them: text as it is, bytes as they are, others as JSON. */
export function encodeHeader(_topic: string, header: Header): Uint8Array {
  const { value } = header;
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof value === 'bigint') return Buffer.from(value.toString(), 'utf8');
  return Buffer.from(jsonOf(header.key, value), 'utf8');
}

function jsonOf(name: string, value: unknown): string {
  try {
    return JSON.stringify(value, (_, item: unknown) => jsonItem(item)) ?? 'null';
  } catch (error) {
    throw new DataError(
      `the header ${name.slice(0, 100)} has no text form: ${error instanceof Error ? error.message : String(error)}`,
      { code: 'BAD_HEADER', cause: error },
    );
  }
}

/** What JSON.stringify would write as an empty object, or not at all. */
function jsonItem(item: unknown): unknown {
  if (item instanceof Uint8Array) return Buffer.from(item).toString('base64');
  if (!(item instanceof Map)) return item;
  const entries: readonly (readonly [unknown, unknown])[] = [...item];
  return entries.every(([key]) => typeof key === 'string') ? Object.fromEntries(item) : entries;
}

export function decodeHeader(_topic: string, name: string, data: Uint8Array): Header {
  return { key: name, schema: null, value: Buffer.from(data).toString('utf8') };
}
