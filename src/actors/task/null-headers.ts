/**
 * Headers whose value a converter gives as null, which no batch can hold: they stand there with an empty value, and a header of a
 * reserved name before the others says by their numbers which they are. It is there besides where a header of somebody else has its
 * name, and then says none.
 */
import type { RecordHeader } from '../../log/batch-headers.js';

export const NULL_HEADERS = 'TROUPE_NULL';

type NullableHeader = readonly [name: string, value: Uint8Array | null];

const EMPTY = new Uint8Array(0);
const NUMBERS = /^(?:\d{1,6}(?:,\d{1,6})*)?$/;

export function markNulls(headers: readonly NullableHeader[]): readonly RecordHeader[] {
  const nulls = headers.flatMap(([, value], i) => (value === null ? [i] : []));
  if (nulls.length === 0 && !headers.some(([name]) => name === NULL_HEADERS))
    // None of them is null.
    return headers as readonly RecordHeader[];
  return [
    [NULL_HEADERS, Buffer.from(nulls.join(','))],
    ...headers.map(([name, value]): RecordHeader => [name, value ?? EMPTY]),
  ];
}

/** What others wrote under the name, and what is no list of numbers, is a header like any other. */
export function unmarkNulls(stored: readonly RecordHeader[]): readonly NullableHeader[] {
  const at = stored.findIndex(([name]) => name === NULL_HEADERS);
  const mark = stored[at]?.[1];
  if (mark === undefined) return stored;
  const numbers = Buffer.from(mark.buffer, mark.byteOffset, mark.byteLength).toString('latin1');
  if (!NUMBERS.test(numbers)) return stored;
  const nulls = new Set(numbers === '' ? [] : numbers.split(',').map(Number));
  return stored
    .filter((_, i) => i !== at)
    .map(([name, value], i) => (nulls.has(i) ? [name, null] : [name, value]));
}
