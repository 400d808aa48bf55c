/** One column of a batch: many values, written and read together. Text is UTF-8. */
import { isAscii, isUtf8 } from 'node:buffer';

import { LogError } from './log.js';

const NULL_LENGTH = 0xffffffff;

/**
 * Text is joined and decoded in pieces of about this many bytes. Larger strings leave V8's young generation for
 * freshly mapped memory: measured 30 times slower for one string of 1 MB than for 16 of 64 KB.
 */
const PIECE_BYTES = 64 * 1024;
const MAX_BYTES_PER_UNIT = 3;
/** What decoding puts in the place of bytes that are no UTF-8. */
const REPLACED = '\ufffd';
const KEPT_BYTES = 8 * 1024 * 1024;

/** Collects values back to back. Strings are gathered, then joined and written in one call for each piece. */
export class ColumnWriter {
  #bytes = Buffer.allocUnsafeSlow(4096);
  #used = 0;
  #lengths = new Uint32Array(256);
  #count = 0;
  #texts: string[] = [];
  #textChars = 0;
  #asciiTexts = true;
  #sawBytes = false;

  /** Bytes so far. Exact, but for the text gathered last, of which UTF-16 units are counted. */
  get byteSize(): number {
    return this.#used + this.#textChars;
  }

  /** The most that `byteSize` can become by `finish`. */
  get maxByteSize(): number {
    return this.#used + this.#textChars * MAX_BYTES_PER_UNIT;
  }

  /** Values given as bytes are copied. */
  add(value: Uint8Array | string | null): void {
    if (typeof value === 'string') {
      this.#pushLength(value.length);
      this.#texts.push(value);
      this.#textChars += value.length;
      if (this.#textChars >= PIECE_BYTES) this.finish();
      return;
    }
    this.finish();
    if (value === null) return this.#pushLength(NULL_LENGTH);
    this.#pushLength(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#used);
    this.#used += value.length;
    this.#sawBytes = true;
  }

  addNulls(count: number): void {
    for (let i = 0; i < count; i++) this.add(null);
  }

  /** Writes the text gathered so far. */
  finish(): void {
    const texts = this.#texts;
    if (texts.length === 0) return;
    if (!this.#asciiTexts || !this.#writeJoined(texts)) this.#writeEach(texts);
    this.#texts = [];
    this.#textChars = 0;
  }

  /** True when every byte is below 128. */
  isAscii(): boolean {
    return this.#asciiTexts && (!this.#sawBytes || isAscii(this.#bytes.subarray(0, this.#used)));
  }

  writeLengths(target: DataView, offset: number): number {
    const lengths = this.#lengths;
    for (let i = 0; i < this.#count; i++) target.setUint32(offset + i * 4, lengths[i] ?? 0, true);
    return offset + this.#count * 4;
  }

  writeBytes(target: Uint8Array, offset: number): number {
    target.set(this.#bytes.subarray(0, this.#used), offset);
    return offset + this.#used;
  }

  /** Empties it. Its memory serves the next batch, unless an unusually large value made it grow. */
  reset(): void {
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(4096);
    this.#used = 0;
    this.#count = 0;
    this.#texts = [];
    this.#textChars = 0;
    this.#asciiTexts = true;
    this.#sawBytes = false;
  }

  /** As many bytes as UTF-16 units: all ASCII, and the lengths noted by `add` are the byte lengths. */
  #writeJoined(texts: readonly string[]): boolean {
    const text = texts.join('');
    this.#reserve(worstSize(text));
    const written = this.#bytes.write(text, this.#used, 'utf8');
    if (written !== text.length) {
      this.#asciiTexts = false;
      return false;
    }
    this.#used += written;
    return true;
  }

  #writeEach(texts: readonly string[]): void {
    const first = this.#count - texts.length;
    for (const [i, text] of texts.entries()) {
      this.#reserve(worstSize(text));
      const written = this.#bytes.write(text, this.#used, 'utf8');
      this.#lengths[first + i] = written;
      this.#used += written;
    }
  }

  #pushLength(length: number): void {
    if (this.#count === this.#lengths.length) {
      const larger = new Uint32Array(this.#count * 2);
      larger.set(this.#lengths);
      this.#lengths = larger;
    }
    this.#lengths[this.#count++] = length;
  }

  #reserve(length: number): void {
    if (this.#used + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#used + length));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}

function worstSize(text: string): number {
  return text.length > PIECE_BYTES ? Buffer.byteLength(text) : text.length * MAX_BYTES_PER_UNIT;
}

/** Reads a column whose lengths stand at `lengthsAt` and whose bytes fill `[start, end)` of the batch. */
export class ColumnReader {
  readonly #bytes: Buffer;
  readonly #ascii: boolean;
  readonly #start: number;
  /** `#ends[i]` is where value i ends; a null value is as long as nothing. */
  readonly #ends: Uint32Array;
  /** One bit for each null value; null when there is none. */
  readonly #nulls: Uint8Array | null;
  #piece = '';
  #pieceFirst = 0;
  #pieceLast = -1;

  constructor(
    bytes: Buffer,
    view: DataView,
    count: number,
    region: { lengthsAt: number; start: number; end: number; ascii: boolean },
  ) {
    this.#bytes = bytes;
    this.#ascii = region.ascii;
    this.#start = region.start;
    this.#ends = new Uint32Array(count);
    let nulls: Uint8Array | null = null;
    let position = region.start;
    for (let i = 0; i < count; i++) {
      const length = view.getUint32(region.lengthsAt + i * 4, true);
      if (length === NULL_LENGTH) (nulls ??= new Uint8Array(count))[i] = 1;
      else position += length;
      if (position > region.end) break;
      this.#ends[i] = position;
    }
    if (position !== region.end)
      throw new LogError('LOG_CORRUPT', 'a batch has lengths that do not add up to its size');
    this.#nulls = nulls;
  }

  /** A view, not a copy. */
  bytes(index: number): Uint8Array | null {
    if (this.#isNull(index)) return null;
    const start = this.#startOf(index);
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, this.#endOf(index) - start);
  }

  /** Bytes; of a null value 0. */
  size(index: number): number {
    return this.#endOf(index) - this.#startOf(index);
  }

  /** Cheapest in order: a piece of about 64 KB is decoded at once and shared by the strings cut from it. */
  text(index: number): string | null {
    if (this.#isNull(index)) return null;
    const start = this.#startOf(index);
    const end = this.#endOf(index);
    if (!this.#ascii) return this.#bytes.toString('utf8', start, end);
    if (index < this.#pieceFirst || index > this.#pieceLast) this.#decodeFrom(index);
    const origin = this.#startOf(this.#pieceFirst);
    return this.#piece.slice(start - origin, end - origin);
  }

  /** The text; the bytes where they are no UTF-8, since decoding them cannot be undone. */
  textOrBytes(index: number): string | Uint8Array | null {
    const text = this.text(index);
    if (this.#ascii || text?.includes(REPLACED) !== true) return text;
    const bytes = this.bytes(index);
    return bytes === null || isUtf8(bytes) ? text : bytes;
  }

  #decodeFrom(index: number): void {
    const start = this.#startOf(index);
    let last = index;
    while (last + 1 < this.#ends.length && this.#endOf(last + 1) - start <= PIECE_BYTES) last++;
    this.#piece = this.#bytes.toString('latin1', start, this.#endOf(last));
    this.#pieceFirst = index;
    this.#pieceLast = last;
  }

  #isNull(index: number): boolean {
    return this.#nulls !== null && this.#nulls[index] === 1;
  }

  #startOf(index: number): number {
    return index === 0 ? this.#start : this.#endOf(index - 1);
  }

  #endOf(index: number): number {
    const end = this.#ends[index];
    if (end === undefined)
      throw new RangeError(`index ${index} is outside a batch of ${this.#ends.length} records`);
    return end;
  }
}
