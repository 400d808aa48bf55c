/** Avro's binary form of what is no container. */
import { DataError } from '@troupe/sdk';

const MIN_SIZE = 1024;
/** Texts whose length takes one byte. */
const MAX_SHORT = 64;
/** Larger ones are given back to the memory. */
const MAX_KEPT = 1024 * 1024;

/** Collects the bytes of one value; used again for the next. */
export class AvroOutput {
  #buffer = Buffer.allocUnsafe(MIN_SIZE);
  #at = 0;

  /** A copy of what was written after the prefix, with it. */
  take(prefix: Uint8Array): Uint8Array {
    const taken = Buffer.allocUnsafe(prefix.length + this.#at);
    taken.set(prefix);
    this.#buffer.copy(taken, prefix.length, 0, this.#at);
    this.reset();
    return taken;
  }

  reset(): void {
    this.#at = 0;
    if (this.#buffer.length > MAX_KEPT) this.#buffer = Buffer.allocUnsafe(MIN_SIZE);
  }

  byte(value: number): void {
    this.#room(1);
    this.#buffer[this.#at++] = value;
  }

  /** `value`: of 32 bits. */
  int(value: number): void {
    this.#room(5);
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }

  long(value: number | bigint): void {
    if (typeof value === 'number' && (value | 0) === value) {
      this.int(value);
      return;
    }
    this.#room(10);
    const exact = BigInt(value);
    let rest = BigInt.asUintN(64, (exact << 1n) ^ (exact >> 63n));
    // The upper part by numbers: bigints are slow.
    let low = Number(rest & 0xfffffffn);
    rest >>= 28n;
    for (let i = 0; i < 4; i += 1) {
      if (rest === 0n && low <= 0x7f) break;
      this.#buffer[this.#at++] = (low & 0x7f) | 0x80;
      low >>>= 7;
    }
    if (rest === 0n) {
      this.#buffer[this.#at++] = low;
      return;
    }
    let high = Number(rest);
    while (high > 0x7f) {
      this.#buffer[this.#at++] = (high % 0x80) | 0x80;
      high = Math.floor(high / 0x80);
    }
    this.#buffer[this.#at++] = high;
  }

  float(value: number): void {
    this.#room(4);
    this.#at = this.#buffer.writeFloatLE(value, this.#at);
  }

  double(value: number): void {
    this.#room(8);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  bytes(bytes: Uint8Array): void {
    this.int(bytes.length);
    this.raw(bytes);
  }

  string(text: string): void {
    const { length } = text;
    if (length < MAX_SHORT && this.#ascii(text, length)) return;
    const size = Buffer.byteLength(text);
    this.int(size);
    this.#room(size);
    this.#at += this.#buffer.write(text, this.#at, 'utf8');
  }

  /** Character by character, which is faster for short ones. False, and nothing written, where one has more than a byte. */
  #ascii(text: string, length: number): boolean {
    this.#room(length + 1);
    const buffer = this.#buffer;
    let at = this.#at;
    buffer[at++] = length << 1;
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      buffer[at++] = code;
    }
    this.#at = at;
    return true;
  }

  #room(size: number): void {
    if (this.#at + size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + size));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

/** Reads from one value's bytes. Throws DataError BAD_AVRO for what ends too early. */
export class AvroInput {
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;

  open(data: Uint8Array, at: number): void {
    this.#buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.#at = at;
  }

  get left(): number {
    return this.#buffer.length - this.#at;
  }

  byte(): number {
    const byte = this.#buffer[this.#at++];
    if (byte === undefined) throw tooShort();
    return byte;
  }

  /** A whole number that is small enough: an int, a size, an index. */
  int(): number {
    const value = this.long();
    if (typeof value === 'number' && (value | 0) === value) return value;
    throw new DataError(`the Avro data has ${value} for a number of 32 bits: the schema is not its own`, {
      code: 'BAD_AVRO',
    });
  }

  long(): number | bigint {
    let byte = this.byte();
    let low = byte & 0x7f;
    for (let shift = 7; byte > 0x7f && shift < 28; shift += 7) {
      byte = this.byte();
      low |= (byte & 0x7f) << shift;
    }
    if (byte <= 0x7f) return (low >>> 1) ^ -(low & 1);
    return this.#longLong(low);
  }

  /** `low`: the first 28 bits. */
  #longLong(low: number): number | bigint {
    let high = 0;
    let factor = 1;
    for (let i = 0; i < 6; i += 1) {
      const byte = this.byte();
      // The last one has one bit that counts.
      if (i === 5 && byte > 1) break;
      high += (byte & 0x7f) * factor;
      factor *= 0x80;
      if (byte <= 0x7f) {
        if (high < 0x1000000) {
          const zigzag = high * 0x10000000 + low;
          return low & 1 ? -(zigzag + 1) / 2 : zigzag / 2;
        }
        const zigzag = (BigInt(high) << 28n) | BigInt(low);
        const exact = (zigzag >> 1n) ^ -(zigzag & 1n);
        const number = Number(exact);
        return Number.isSafeInteger(number) ? number : exact;
      }
    }
    throw new DataError('the Avro data has a number of more than 64 bits: the schema is not its own', {
      code: 'BAD_AVRO',
    });
  }

  float(): number {
    return this.#buffer.readFloatLE(this.#skip(4));
  }

  double(): number {
    return this.#buffer.readDoubleLE(this.#skip(8));
  }

  raw(size: number): Uint8Array {
    const start = this.#skip(size);
    return new Uint8Array(this.#buffer.subarray(start, start + size));
  }

  bytes(): Uint8Array {
    return this.raw(this.int());
  }

  string(): string {
    const size = this.int();
    const start = this.#skip(size);
    return this.#buffer.toString('utf8', start, start + size);
  }

  /** From where it was. */
  #skip(size: number): number {
    const start = this.#at;
    if (size < 0 || size > this.#buffer.length - start) throw tooShort();
    this.#at = start + size;
    return start;
  }
}

function tooShort(): DataError {
  return new DataError('the Avro data ends too early: the schema is not its own, or it was cut', {
    code: 'BAD_AVRO',
  });
}
