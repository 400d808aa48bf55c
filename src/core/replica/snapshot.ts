import { encodeJson, type SnapshotPart } from './envelope.js';

/** A part is filled up to this size, in bytes of JSON; one item larger than it has a part of its own. */
export const PART_BYTES = 256 * 1024;

/**
 * Snapshots whose parts are being collected. More at once: those that got no part for longest are torn. Each node
 * writes one at a time, so it is more than a cluster has nodes: who forgot one that is still being written could find
 * nothing to start from, as its writer trims the topic when it is done.
 */
const MAX_OPEN = 1024;

/** The items of one snapshot, packed into records. At least one. */
export function packSnapshot(
  id: string,
  at: number,
  items: Iterable<unknown>,
  partBytes = PART_BYTES,
): Uint8Array[] {
  const parts = splitItems(items, partBytes);
  return parts.map((content, part) => {
    const record: SnapshotPart = { v: 1, snapshot: id, part, of: parts.length, at, items: content };
    return encodeJson(record);
  });
}

/** In parts of about that size of JSON, at least one; a larger item has a part of its own. */
export function splitItems<T>(items: Iterable<T>, partBytes = PART_BYTES): T[][] {
  const parts: T[][] = [[]];
  let size = 0;
  for (const item of items) {
    const bytes = JSON.stringify(item).length;
    if (size > 0 && size + bytes > partBytes) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(item);
    size += bytes;
  }
  return parts;
}

export interface WholeSnapshot {
  readonly id: string;
  /** The state is the one before the entry at this offset. */
  readonly at: number;
  /** Empty when the contents were not kept. */
  readonly items: readonly unknown[];
}

interface OpenSnapshot {
  readonly of: number;
  readonly at: number;
  readonly parts: Map<number, readonly unknown[]>;
}

/** Puts parts together, whoever's and however interleaved. A torn snapshot never becomes whole, and is forgotten. */
export class SnapshotCollector {
  readonly #open = new Map<string, OpenSnapshot>();

  has(id: string): boolean {
    return this.#open.has(id);
  }

  /** The snapshot that this part completes, or null. `keep` false: only its completeness matters. */
  add(part: SnapshotPart, keep: boolean): WholeSnapshot | null {
    const open = this.#open.get(part.snapshot) ?? { of: part.of, at: part.at, parts: new Map() };
    this.#open.delete(part.snapshot);
    this.#open.set(part.snapshot, open);
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_OPEN && oldest !== undefined) this.#open.delete(oldest);
    if (open.of !== part.of || open.at !== part.at) return null;
    open.parts.set(part.part, keep ? part.items : []);
    if (open.parts.size < open.of) return null;
    this.#open.delete(part.snapshot);
    const items: unknown[] = [];
    for (let i = 0; i < open.of; i += 1) for (const item of open.parts.get(i) ?? []) items.push(item);
    return { id: part.snapshot, at: open.at, items };
  }

  clear(): void {
    this.#open.clear();
  }
}
