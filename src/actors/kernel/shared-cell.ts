/**
 * A number in shared memory with one writer. It has two places and a count of the writes, whose last bit says which of them
 * counts: a reader never sees half of a number, on no machine, and a thread that ends in the middle of a write leaves the
 * number before it.
 */
import type { Cell } from '../../sdk/metric-registry.js';

export type Words = Int32Array<SharedArrayBuffer>;

/** Of one cell: the count of writes, and two numbers. All 0 is the number 0. */
export const CELL_WORDS = 5;

/** A writer that was faster than the reader so often in a row does nothing else. */
const MAX_READS = 10_000;

const number = new Float64Array(1);
const halves = new Int32Array(number.buffer);

export class SharedCell implements Cell {
  readonly #words: Words;
  readonly #at: number;
  #writes: number;
  #value: number;

  /** Goes on with the number that stands there. */
  constructor(words: Words, at: number) {
    this.#words = words;
    this.#at = at;
    this.#writes = Atomics.load(words, at);
    this.#value = readCell(words, at);
  }

  add(amount: number): void {
    this.set((Number.isNaN(this.#value) ? 0 : this.#value) + amount);
  }

  set(value: number): void {
    this.#value = value;
    const writes = (this.#writes + 1) | 0;
    this.#writes = writes;
    const place = this.#at + 1 + ((writes & 1) << 1);
    number[0] = value;
    Atomics.store(this.#words, place, halves[0] ?? 0);
    Atomics.store(this.#words, place + 1, halves[1] ?? 0);
    Atomics.store(this.#words, this.#at, writes);
  }
}

/** NaN: nothing was set. */
export function readCell(words: Words, at: number): number {
  for (let read = 0; read < MAX_READS; read += 1) {
    const writes = Atomics.load(words, at);
    const place = at + 1 + ((writes & 1) << 1);
    const low = Atomics.load(words, place);
    const high = Atomics.load(words, place + 1);
    if (Atomics.load(words, at) !== writes) continue;
    halves[0] = low;
    halves[1] = high;
    return number[0] ?? NaN;
  }
  return NaN;
}
