/** The headers of one record as bytes: for each a u16 name size, the name, a u32 value size, the value. */
import { LogError } from './log.js';

/** Name and value. Names may repeat; order is kept. */
export type RecordHeader = readonly [name: string, value: Uint8Array];

const SIZES_BYTES = 6;

/** How long their block is, in bytes. */
export function headersSize(headers: readonly RecordHeader[]): number {
  return headers.reduce(
    (sum, [name, value]) => sum + SIZES_BYTES + Buffer.byteLength(name) + value.length,
    0,
  );
}

const MAX_NAME_BYTES = 0xffff;

/** LogError LOG_BAD_REQUEST where it is too long. */
export function checkHeaderName(name: string): void {
  // A character takes at most three bytes.
  if (name.length * 3 <= MAX_NAME_BYTES || Buffer.byteLength(name) <= MAX_NAME_BYTES) return;
  throw new LogError(
    'LOG_BAD_REQUEST',
    `the header name "${name.slice(0, 40)}…" is longer than ${MAX_NAME_BYTES} bytes`,
  );
}

export function encodeHeaders(headers: readonly RecordHeader[]): Uint8Array {
  const block = Buffer.allocUnsafe(headersSize(headers));
  let at = 0;
  for (const [name, value] of headers) {
    checkHeaderName(name);
    const nameBytes = Buffer.from(name);
    at = block.writeUInt16LE(nameBytes.length, at);
    block.set(nameBytes, at);
    at = block.writeUInt32LE(value.length, at + nameBytes.length);
    block.set(value, at);
    at += value.length;
  }
  return block;
}

export function decodeHeaders(block: Uint8Array): readonly RecordHeader[] {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  const headers: RecordHeader[] = [];
  let at = 0;
  try {
    while (at < bytes.length) {
      const nameEnd = at + 2 + bytes.readUInt16LE(at);
      const valueStart = nameEnd + 4;
      const valueEnd = valueStart + bytes.readUInt32LE(nameEnd);
      if (valueEnd > bytes.length) throw new RangeError('value');
      headers.push([bytes.toString('utf8', at + 2, nameEnd), block.subarray(valueStart, valueEnd)]);
      at = valueEnd;
    }
  } catch (error) {
    throw new LogError('LOG_CORRUPT', 'the headers of a record are damaged', { cause: error });
  }
  return headers;
}
