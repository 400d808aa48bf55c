import { crc32 } from 'node:zlib';
import type { AppendedRecord } from './progress-rules.js';

/** After so many records in a row that were not there, the source does not make the others again. */
const FORGET_AFTER = 100_000;
/** Far more than one append, which is all that a crash leaves behind. */
const MAX_RECORDS = 1_000_000;

/**
 * Records that stand in the log though no position says so, until the source makes them again: then each is to be left
 * out once. Where two are equal in all that is looked at, it does not matter which of them is meant.
 */
export class AlreadyAppended {
  /** The digests of the records of each mark. */
  readonly #marks = new Map<number, number[]>();
  #size = 0;
  #misses = 0;
  #changed = false;

  constructor(known: readonly AppendedRecord[]) {
    for (const [mark, digest] of known) this.add(mark, digest);
    this.#changed = false;
  }

  get size(): number {
    return this.#size;
  }

  /** False: there are too many, and this one is not remembered. */
  add(mark: number, digest: number): boolean {
    if (this.#size >= MAX_RECORDS) return false;
    const digests = this.#marks.get(mark);
    if (digests === undefined) this.#marks.set(mark, [digest]);
    else digests.push(digest);
    this.#size += 1;
    this.#changed = true;
    this.#misses = 0;
    return true;
  }

  /** Whether such a record is there; it is not found again. */
  take(mark: number, digest: number): boolean {
    const digests = this.#marks.get(mark);
    const at = digests?.indexOf(digest) ?? -1;
    if (digests === undefined || at < 0) {
      this.#misses += 1;
      if (this.#misses >= FORGET_AFTER) this.#forget();
      return false;
    }
    if (digests.length === 1) this.#marks.delete(mark);
    else digests.splice(at, 1);
    this.#size -= 1;
    this.#misses = 0;
    this.#changed = true;
    return true;
  }

  /** All of them, where they are not those of the last time; else null. */
  takeChanged(): readonly AppendedRecord[] | null {
    if (!this.#changed) return null;
    this.#changed = false;
    return [...this.#marks].flatMap(([mark, digests]) =>
      digests.map((digest): AppendedRecord => [mark, digest]),
    );
  }

  #forget(): void {
    this.#changed = true;
    this.#marks.clear();
    this.#size = 0;
    this.#misses = 0;
  }
}

/** What a record holds, as 32 bits. */
export function recordDigest(topic: string, key: Uint8Array | null, value: Uint8Array | null): number {
  const parts = `${topic} ${key?.length ?? ''} ${value?.length ?? ''} `;
  return crc32(value ?? '', crc32(key ?? '', crc32(parts)));
}
