/** Values → JSON on one line. */
import { Decimal, MAX_JSON_DEPTH, isFields } from '../../../sdk/index.js';

/**
 * JSON in which integers and decimals keep every digit, as the JSON converter writes it. Bytes are base64, maps are
 * objects; what JSON has no number for is text, `"NaN"` or `"Infinity"`.
 */
export function jsonText(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return isPlain(value, 0) ? (JSON.stringify(value) ?? 'null') : exact(value, 0);
}

/** Whether JSON.stringify, which is much faster, writes the value as it is: it makes nothing of maps and of infinity. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object') return typeof value !== 'bigint';
  if (value === null) return true;
  if (depth > MAX_JSON_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  if (!isFields(value)) return false;
  for (const name in value) if (!isPlain(value[name], depth + 1)) return false;
  return true;
}

function exact(value: unknown, depth: number): string {
  if (depth > MAX_JSON_DEPTH)
    throw new TypeError(`the value is nested more than ${MAX_JSON_DEPTH} deep, or contains itself`);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return numberText(value);
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

function numberText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0.0' : String(value);
}
