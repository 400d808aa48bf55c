/** Collects lines into memory that is used again, with one write into it for many lines. */

/** Strings are joined in pieces of about this many characters: larger ones are much dearer to V8. */
const PIECE_CHARACTERS = 48 * 1024;
const KEPT_BYTES = 4 * 1024 * 1024;
const NEWLINE = 10;

export class LineBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(256 * 1024);
  #used = 0;
  #lines: string[] = [];
  #characters = 0;

  /** Bytes held, of which the latest lines are counted in characters. */
  get size(): number {
    return this.#used + this.#characters;
  }

  add(line: string): void {
    this.#lines.push(line);
    this.#characters += line.length + 1;
    if (this.#characters >= PIECE_CHARACTERS) this.#write();
  }

  addBytes(line: Uint8Array): void {
    this.#write();
    this.#reserve(line.length + 1);
    this.#bytes.set(line, this.#used);
    this.#used += line.length;
    this.#bytes[this.#used] = NEWLINE;
    this.#used += 1;
  }

  /** All lines with their line ends. Valid until `clear`. */
  bytes(): Buffer {
    this.#write();
    return this.#bytes.subarray(0, this.#used);
  }

  clear(): void {
    this.#used = 0;
    this.#lines = [];
    this.#characters = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(256 * 1024);
  }

  #write(): void {
    if (this.#lines.length === 0) return;
    this.#lines.push('');
    const text = this.#lines.join('\n');
    this.#lines = [];
    this.#characters = 0;
    this.#reserve(text.length > 2 * PIECE_CHARACTERS ? Buffer.byteLength(text) : text.length * 3);
    this.#used += this.#bytes.write(text, this.#used, 'utf8');
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#used + more));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}
