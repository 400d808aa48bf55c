/** Values as text, to the sandbox and back, each as what it is: prelude.ts has the other half. */
import { DataError, Decimal, isFields, setField } from '@troupe/sdk';

/** What JSON does not have stands in an object with the field `$`, which says what it is, and so do objects that have one. */
const TAG = '$';
const MAX_DEPTH = 500;

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export function encode(value: unknown, depth = 0): Json {
  if (depth > MAX_DEPTH) throw bad(`it is nested deeper than ${MAX_DEPTH}`);
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : tagged('f', numberText(value));
    case 'bigint':
      return tagged('i', value.toString());
    case 'object':
      return encodeObject(value, depth);
    default:
      throw bad(`a ${typeof value} is no value`);
  }
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function encodeObject(value: object, depth: number): Json {
  const inner = (item: unknown): Json => encode(item, depth + 1);
  if (Array.isArray(value)) return (value as readonly unknown[]).map(inner);
  if (value instanceof Date) return tagged('d', value.getTime());
  if (value instanceof Decimal) return tagged('n', [value.unscaled.toString(), value.scale]);
  if (value instanceof Uint8Array)
    return tagged('x', Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex'));
  if (value instanceof Map)
    return tagged(
      'm',
      [...(value as ReadonlyMap<unknown, unknown>)].map(([key, item]) => [inner(key), inner(item)]),
    );
  if (!isFields(value)) throw bad('an object with a class of its own is no value that a script can be given');
  const entries = Object.entries(value);
  const isPlain = entries.every(([key]) => key !== TAG && key !== '__proto__');
  if (!isPlain)
    return tagged(
      'o',
      entries.map(([key, item]) => [key, inner(item)]),
    );
  const fields: Record<string, Json> = {};
  for (const [key, item] of entries) if (item !== undefined) fields[key] = inner(item);
  return fields;
}

function tagged(tag: string, v: Json): Json {
  return { [TAG]: tag, v };
}

/** `json` is what the prelude has written. */
export function decode(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return (json as readonly unknown[]).map(decode);
  const map = json as Readonly<Record<string, unknown>>;
  if (Object.hasOwn(map, TAG)) return decodeTagged(map[TAG], map['v']);
  const fields: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(map)) setField(fields, key, decode(item));
  return fields;
}

function decodeTagged(tag: unknown, v: unknown): unknown {
  const parts: readonly unknown[] = Array.isArray(v) ? v : [];
  switch (tag) {
    case 'f':
      return Number(v);
    case 'i':
      return whole(String(v));
    case 'd':
      return new Date(Number(v));
    case 'n':
      return new Decimal(BigInt(String(parts[0])), Number(parts[1]));
    case 'x':
      return new Uint8Array(Buffer.from(String(v), 'hex'));
    case 'm':
      return new Map(parts.map(pair).map(([key, item]) => [decode(key), decode(item)]));
    case 'o': {
      const fields: Record<string, unknown> = {};
      for (const [key, item] of parts.map(pair)) setField(fields, String(key), decode(item));
      return fields;
    }
    default:
      throw bad('it gave something that is no value');
  }
}

function pair(item: unknown): readonly [unknown, unknown] {
  if (!Array.isArray(item)) throw bad('it gave something that is no value');
  return [item[0], item[1]];
}

/** As records have whole numbers: as a number where it is a safe one. */
function whole(text: string): number | bigint {
  const exact = BigInt(text);
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}

function bad(message: string): DataError {
  return new DataError(message, { code: 'SCRIPT_FAILED' });
}
