/** The property TROUPE_ID: three characters for the writer's mark, eight for the record's, six bits each. */
const DIGITS = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const WRITER_DIGITS = 3;
const HALF_DIGITS = 4;
/** A record's mark does not fit into the 32 bits of bitwise operators; its halves do. */
const HALF = 2 ** 24;
const ID_DIGITS = WRITER_DIGITS + 2 * HALF_DIGITS;

const VALUES = new Int8Array(256).fill(-1);
for (const [value, digit] of DIGITS.entries()) VALUES[digit] = value;

export const ID_PROPERTY = 'TROUPE_ID';

/** Writes ids of one writer. The bytes are good until the next one. */
export class RecordIdWriter {
  readonly #bytes = Buffer.alloc(ID_DIGITS);

  constructor(writer: number) {
    this.#write(0, WRITER_DIGITS, writer);
  }

  write(mark: number): Buffer {
    const high = Math.floor(mark / HALF);
    this.#write(WRITER_DIGITS, HALF_DIGITS, high);
    this.#write(WRITER_DIGITS + HALF_DIGITS, HALF_DIGITS, mark - high * HALF);
    return this.#bytes;
  }

  #write(at: number, digits: number, value: number): void {
    let rest = value;
    for (let i = at + digits - 1; i >= at; i -= 1) {
      this.#bytes[i] = DIGITS[rest & 63] ?? 0;
      rest >>>= 6;
    }
  }
}

export function isRecordId(bytes: Uint8Array): boolean {
  return bytes.length === ID_DIGITS && bytes.every((digit) => VALUES[digit] !== -1);
}

/** The record's mark, where the id is this writer's; else null. */
export function markOf(id: Uint8Array, writer: number): number | null {
  if (read(id, 0, WRITER_DIGITS) !== writer) return null;
  const high = read(id, WRITER_DIGITS, HALF_DIGITS);
  return high * HALF + read(id, WRITER_DIGITS + HALF_DIGITS, HALF_DIGITS);
}

function read(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i += 1) value = value * 64 + (VALUES[bytes[i] ?? 0] ?? 0);
  return value;
}
