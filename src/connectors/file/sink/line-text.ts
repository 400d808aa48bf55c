/** Values → the text of one line. */
import { Decimal, type Schema } from '../../../sdk/index.js';

/** Strings and bytes as they are, everything else as JSON. */
export function lineText(value: unknown, schema: Schema | null): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
  return jsonText(value, schema);
}

/** JSON in which 64-bit integers and decimals keep every digit. Bytes are base64, maps are objects. */
export function jsonText(value: unknown, schema: Schema | null): string {
  if (typeof value === 'string') return JSON.stringify(value);
  // Values without a schema come from JSON and are plain; those with one may hold maps, bytes, bigints.
  if (schema === null) {
    try {
      return JSON.stringify(value) ?? 'null';
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return exact(value, 0);
}

const MAX_DEPTH = 200;

function exact(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH)
    throw new TypeError(`the value is nested more than ${MAX_DEPTH} deep, or contains itself`);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (value instanceof Date) return JSON.stringify(value);
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (Array.isArray(value)) return `[${value.map((item) => exact(item, depth + 1)).join(',')}]`;
  const entries: Iterable<readonly [unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
  const parts: string[] = [];
  for (const [key, item] of entries) {
    if (item !== undefined) parts.push(`${JSON.stringify(String(key))}:${exact(item, depth + 1)}`);
  }
  return `{${parts.join(',')}}`;
}
