/**
 * The properties of a message: name, \u0001, value, \u0002, for each. Names and values may not be empty (RocketMQ's
 * readers drop such a property) and may not hold these two characters.
 */
import { isUtf8 } from 'node:buffer';

const NAME_END = 1;
const VALUE_END = 2;

/** Collects properties. One object serves many messages: `reset` makes it empty. */
export class PropertyWriter {
  #bytes = Buffer.allocUnsafe(1024);
  #used = 0;

  get size(): number {
    return this.#used;
  }

  /** A view, good until the next call. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#used);
  }

  reset(): void {
    this.#used = 0;
  }

  add(name: string, value: Uint8Array | string): void {
    // A character takes at most three bytes.
    this.#reserve((name.length + value.length) * 3 + 2);
    const bytes = this.#bytes;
    let at = this.#used + bytes.write(name, this.#used, 'utf8');
    at = bytes.writeUInt8(NAME_END, at);
    if (typeof value === 'string') at += bytes.write(value, at, 'utf8');
    else {
      bytes.set(value, at);
      at += value.length;
    }
    this.#used = bytes.writeUInt8(VALUE_END, at);
  }

  #reserve(size: number): void {
    if (this.#used + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#used + size, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}

/** In their order. Values share the memory of `bytes`. */
export function readProperties(bytes: Buffer, visit: (name: string, value: Buffer) => void): void {
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(VALUE_END, start);
    const end = found < 0 ? bytes.length : found;
    const nameEnd = bytes.indexOf(NAME_END, start);
    if (nameEnd > start && nameEnd < end - 1)
      visit(bytes.toString('utf8', start, nameEnd), bytes.subarray(nameEnd + 1, end));
    start = end + 1;
  }
}

export function isPropertyName(name: string): boolean {
  return name !== '' && !name.includes('\u0001') && !name.includes('\u0002');
}

/** Whether it stays what it is as the value of a property, also for readers that take it for text. */
export function isPropertyValue(value: Uint8Array): boolean {
  return value.length > 0 && !value.includes(NAME_END) && !value.includes(VALUE_END) && isUtf8(value);
}
