import type { Writer } from './envelope.js';
import { count, text } from './json-shape.js';

/** Writers remembered: the ones that were silent longest are forgotten first. The same on every node, or they diverge. */
const MAX_WRITERS = 10_000;

type Item = readonly [node: string, incarnation: string, seq: number];

function isItem(value: unknown): value is Item {
  return Array.isArray(value) && value.length === 3 && text(value[0]) && text(value[1]) && count(value[2]);
}

/** The highest sequence number seen of each writer: what makes a repeated append change nothing. */
export class Writers {
  readonly #last = new Map<string, Item>();

  /** False: the entry was seen before. */
  advance({ node, incarnation }: Writer, seq: number): boolean {
    const key = `${node.length} ${node}${incarnation}`;
    const last = this.#last.get(key);
    if (last !== undefined && seq <= last[2]) return false;
    this.#last.delete(key);
    this.#last.set(key, [node, incarnation, seq]);
    const [oldest] = this.#last.keys();
    if (this.#last.size > MAX_WRITERS && oldest !== undefined) this.#last.delete(oldest);
    return true;
  }

  get size(): number {
    return this.#last.size;
  }

  items(): Iterable<unknown> {
    return this.#last.values();
  }

  static decode(items: readonly unknown[]): Writers | null {
    const writers = new Writers();
    for (const item of items) {
      if (!isItem(item)) return null;
      const [node, incarnation, seq] = item;
      writers.advance({ node, incarnation }, seq);
    }
    return writers;
  }
}
