/**
 * What a source's record is known by in the log: its source partition and position, as 48 bits. Records may share a
 * position, so a mark is a hint: already-appended.ts compares what the records hold as well.
 */
import type { SourcePosition } from '../model.js';
import type { JsonObject } from '../../sdk/record.js';

const BASIS = { first: 0x811c9dc5, second: 0x2f0b4a27 };
const PRIME = 0x01000193;
const OTHER_PRIME = 0x85ebca6b;

/** A record of this position cannot be told from others: the source does not move on. */
const UNMARKED = -1;

/** 18 bits: enough to tell the few writers of a queue apart. */
export function writerMark(unit: string): number {
  const { first } = new Hash(unit);
  return (first ^ (first >>> 18)) & 0x3ffff;
}

interface Partition {
  readonly hash: Hash;
  /** The durable position it began with, as text. */
  readonly begin: string | undefined;
}

/** One source task's marks, from its start on. */
export class RecordMarker {
  readonly #begins: ReadonlyMap<string, string>;
  #last: JsonObject | null = null;
  #lastText = '';
  #partition: Partition = { hash: new Hash(''), begin: undefined };

  constructor(durable: readonly SourcePosition[]) {
    this.#begins = new Map(
      durable.map(({ partition, position }) => [JSON.stringify(partition), JSON.stringify(position)]),
    );
  }

  mark(partition: JsonObject, position: JsonObject): number {
    if (partition !== this.#last) this.#enter(partition);
    const text = JSON.stringify(position);
    const { hash, begin } = this.#partition;
    return text === begin ? UNMARKED : new Hash(text, hash).bits48;
  }

  /** Many sources make a new object for each record. */
  #enter(partition: JsonObject): void {
    this.#last = partition;
    const text = JSON.stringify(partition);
    if (text === this.#lastText) return;
    this.#lastText = text;
    this.#partition = { hash: new Hash(text), begin: this.#begins.get(text) };
  }
}

/** Two multiplicative hashes side by side, over the code units of a text that follows others. */
class Hash {
  readonly first: number;
  readonly second: number;

  constructor(text: string, after: { readonly first: number; readonly second: number } = BASIS) {
    let { first, second } = after;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      first = Math.imul(first ^ code, PRIME);
      second = Math.imul(second ^ code, OTHER_PRIME);
      second ^= second >>> 15;
    }
    this.first = first;
    this.second = second;
  }

  get bits48(): number {
    return (this.first >>> 0) * 0x10000 + (this.second >>> 16);
  }
}
