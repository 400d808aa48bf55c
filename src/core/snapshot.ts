import { encodeJson, type SnapshotPart } from './envelope.js';

/** A part is filled up to this size, in bytes of JSON; one item larger than it has a part of its own. */
export const PART_BYTES = 256 * 1024;

/** Snapshots whose parts are being collected: more at once means that the older ones are torn. */
const MAX_OPEN = 8;

/** The items of one snapshot, packed into records. At least one. */
export function packSnapshot(id: string, at: number, items: Iterable<unknown>): Uint8Array[] {
  const parts: unknown[][] = [[]];
  let size = 0;
  for (const item of items) {
    const bytes = JSON.stringify(item).length;
    if (size > 0 && size + bytes > PART_BYTES) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(item);
    size += bytes;
  }
  return parts.map((content, part) => {
    const record: SnapshotPart = { v: 1, snapshot: id, part, of: parts.length, at, items: content };
    return encodeJson(record);
  });
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

  /** The snapshot that this part completes, or null. `keep` false: only its completeness matters. */
  add(part: SnapshotPart, keep: boolean): WholeSnapshot | null {
    let open = this.#open.get(part.snapshot);
    if (open === undefined) {
      open = { of: part.of, at: part.at, parts: new Map() };
      this.#open.set(part.snapshot, open);
      const [oldest] = this.#open.keys();
      if (this.#open.size > MAX_OPEN && oldest !== undefined) this.#open.delete(oldest);
    }
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
