/**
 * Headers whose value a converter gives as null, which no batch can hold: they stand there with an empty value, and a header of a
 * reserved name before the others says which they are, as JSON: by name, and by number among those of the name, whose order every
 * log keeps. It is there besides where a header of somebody else has its name, and then says none.
 */
import type { RecordHeader } from '../log/batch-headers.js';
import { fieldOf, isFields, setField } from '../sdk/value.js';

export const NULL_HEADERS = 'TROUPE_NULL';

type NullableHeader = readonly [name: string, value: Uint8Array | null];

const EMPTY = new Uint8Array(0);

export function markNulls(headers: readonly NullableHeader[]): readonly RecordHeader[] {
  if (!headers.some(([name, value]) => value === null || name === NULL_HEADERS))
    // None of them is null.
    return headers as readonly RecordHeader[];
  const nulls: Record<string, unknown> = {};
  eachNumbered(headers, ([name, value], number) => {
    if (value !== null) return;
    const known = fieldOf(nulls, name);
    setField(nulls, name, [...(Array.isArray(known) ? (known as readonly unknown[]) : []), number]);
  });
  return [
    [NULL_HEADERS, Buffer.from(JSON.stringify(nulls))],
    ...headers.map(([name, value]): RecordHeader => [name, value ?? EMPTY]),
  ];
}

/** What others wrote under the name, and what is no such list, is a header like any other. */
export function unmarkNulls(stored: readonly RecordHeader[]): readonly NullableHeader[] {
  const at = stored.findIndex(([name]) => name === NULL_HEADERS);
  const mark = stored[at]?.[1];
  if (mark === undefined) return stored;
  const nulls = parsed(mark);
  if (nulls === null) return stored;
  const headers: NullableHeader[] = [];
  eachNumbered(
    stored.filter((_, i) => i !== at),
    ([name, value], number) => {
      const numbers = fieldOf(nulls, name);
      const isNull = Array.isArray(numbers) && numbers.includes(number);
      headers.push([name, isNull ? null : value]);
    },
  );
  return headers;
}

/** With its number among those of its name. */
function eachNumbered(
  headers: readonly NullableHeader[],
  call: (header: NullableHeader, number: number) => void,
): void {
  const counts = new Map<string, number>();
  for (const header of headers) {
    const number = counts.get(header[0]) ?? 0;
    counts.set(header[0], number + 1);
    call(header, number);
  }
}

function parsed(mark: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const json: unknown = JSON.parse(
      Buffer.from(mark.buffer, mark.byteOffset, mark.byteLength).toString('utf8'),
    );
    return isFields(json) ? json : null;
  } catch {
    return null;
  }
}
