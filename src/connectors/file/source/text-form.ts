/** How the text of a file is written: what ends a line, and how bytes become characters. */

export const ENCODINGS = ['utf-8', 'latin1', 'utf-16le', 'utf-16be'] as const;
export type Encoding = (typeof ENCODINGS)[number];

const NEWLINE = 10;
const RETURN = 13;

/** A mark at the beginning says more than the setting does: no UTF-8 text begins with the bytes of the others. */
export function encodingOf(head: Buffer, configured: Encoding): Encoding {
  if (configured !== 'utf-8' || head.length < 2) return configured;
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : configured;
}

/** `start` and `end` of all methods are places in the buffer that begin a character. */
export class TextForm {
  readonly encoding: Encoding;
  /** A return ends a line also where no newline follows it. */
  readonly returns: boolean;
  /** Bytes of a newline, and of the smallest character. */
  readonly unit: 1 | 2;
  /** Which byte of a character of two says what it is, where the other is 0. */
  readonly #low: 0 | 1;

  constructor(encoding: Encoding, returns: boolean) {
    this.encoding = encoding;
    this.returns = returns;
    this.unit = encoding === 'utf-16le' || encoding === 'utf-16be' ? 2 : 1;
    this.#low = encoding === 'utf-16be' ? 1 : 0;
  }

  /** Past the last line end; `start` when there is none. A return at the very end counts: a newline may follow. */
  pastLast(buffer: Buffer, start: number, end: number): number {
    const newline = this.#lastOf(NEWLINE, buffer, start, end);
    const from = newline < 0 ? start : newline + this.unit;
    if (!this.returns) return from;
    const last = this.#lastOf(RETURN, buffer, from, end);
    return last < 0 ? from : last + this.unit;
  }

  /** Past the first line end, of a return with its newline; -1 when there is none. */
  pastFirst(buffer: Buffer, start: number, end: number): number {
    const newline = this.#firstOf(NEWLINE, buffer, start, end);
    const first = this.returns ? this.#firstOf(RETURN, buffer, start, newline < 0 ? end : newline) : -1;
    if (first < 0) return newline < 0 ? -1 : newline + this.unit;
    return newline === first + this.unit ? newline + this.unit : first + this.unit;
  }

  /** Bytes of the line end at `start` for a line that was passed on without it; 0 when there is none, or not all. */
  lineEndBytes(buffer: Buffer, start: number, end: number): number {
    if (this.isNewline(buffer, start, end)) return this.unit;
    if (!this.isReturn(buffer, start, end)) return 0;
    if (this.isNewline(buffer, start + this.unit, end)) return 2 * this.unit;
    return this.returns ? this.unit : 0;
  }

  isNewline(buffer: Buffer, at: number, end: number): boolean {
    return this.#is(NEWLINE, buffer, at, end);
  }

  isReturn(buffer: Buffer, at: number, end: number): boolean {
    return this.#is(RETURN, buffer, at, end);
  }

  /** Bytes at the end that may be the beginning of a line end, or of a character. */
  unfinishedBytes(bytes: Buffer): number {
    const odd = bytes.length % this.unit;
    const end = bytes.length - odd;
    if (!this.returns && this.isReturn(bytes, end - this.unit, end)) return this.unit + odd;
    return this.encoding === 'utf-8' ? unfinishedUtf8(bytes) : odd;
  }

  /** `end`, or less so that no character is cut in two. */
  wholeCharacters(buffer: Buffer, start: number, end: number): number {
    if (this.encoding !== 'utf-8') return end - ((end - start) % this.unit);
    let at = end;
    while (at > start && end - at < 4 && ((buffer[at] ?? 0) & 0xc0) === 0x80) at -= 1;
    return at;
  }

  decode(buffer: Buffer, start: number, end: number): string {
    switch (this.encoding) {
      case 'utf-8':
        return buffer.toString('utf8', start, end);
      case 'latin1':
        return buffer.toString('latin1', start, end);
      case 'utf-16le':
        return buffer.toString('utf16le', start, end);
      case 'utf-16be': {
        const whole = end - ((end - start) % 2);
        return Buffer.from(buffer.subarray(start, whole)).swap16().toString('utf16le');
      }
    }
  }

  #is(char: number, buffer: Buffer, at: number, end: number): boolean {
    if (at < 0 || at + this.unit > end) return false;
    if (this.unit === 1) return buffer[at] === char;
    return buffer[at + this.#low] === char && buffer[at + 1 - this.#low] === 0;
  }

  #firstOf(char: number, buffer: Buffer, start: number, end: number): number {
    const bytes = buffer.subarray(start, end);
    for (let at = bytes.indexOf(char); at >= 0; at = bytes.indexOf(char, at + 1)) {
      const place = at - (this.unit === 1 ? 0 : this.#low);
      if (place % this.unit === 0 && this.#is(char, bytes, place, bytes.length)) return start + place;
    }
    return -1;
  }

  #lastOf(char: number, buffer: Buffer, start: number, end: number): number {
    const bytes = buffer.subarray(start, end);
    for (let at = bytes.lastIndexOf(char); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(char, at - 1)) {
      const place = at - (this.unit === 1 ? 0 : this.#low);
      if (place % this.unit === 0 && this.#is(char, bytes, place, bytes.length)) return start + place;
    }
    return -1;
  }
}

function unfinishedUtf8(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes.at(-back) ?? 0;
    if ((byte & 0xc0) !== 0x80) return back < characterBytes(byte) ? back : 0;
  }
  return 0;
}

/** Of the UTF-8 character that begins with this byte; 1 when none does. */
function characterBytes(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}
