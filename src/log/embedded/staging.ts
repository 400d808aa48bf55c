/**
 * The next commit while it is being planned: reads see what was staged on top of what is stored. Nothing of it
 * reaches lmdb before the plan is complete, so an error, or the end of the thread, leaves nothing half done.
 */
import type { Database } from 'lmdb';

import type { KeyRange, StoreKey } from './keys.js';

export interface Change {
  readonly key: StoreKey;
  /** Null: remove. */
  readonly value: Buffer | null;
}

export class Staging {
  readonly #db: Database<Buffer>;
  #accepted = new Map<string, Change>();
  /** Of the piece of work that is being planned. */
  #current = new Map<string, Change>();
  #records = { accepted: false, current: false };

  constructor(db: Database<Buffer>) {
    this.#db = db;
  }

  get(key: StoreKey): Buffer | undefined {
    if (this.#current.size === 0 && this.#accepted.size === 0) return this.#db.get(key);
    const name = nameOf(key);
    const change = this.#current.get(name) ?? this.#accepted.get(name);
    return change === undefined ? this.#db.get(key) : (change.value ?? undefined);
  }

  /** In memory of its own. */
  getStored(key: StoreKey): Buffer | undefined {
    return this.#db.getBinary(key);
  }

  /** What is stored: work that scans is planned alone. */
  scanKeys(range: KeyRange & { readonly limit?: number; readonly reverse?: boolean }): Iterable<unknown> {
    // A copy: lmdb marks the object that it is given as one of keys only, and ranges are shared.
    return this.#db.getKeys({ ...range });
  }

  scan(range: KeyRange): Iterable<{ readonly key: unknown; readonly value: Buffer }> {
    return this.#db.getRange({ ...range });
  }

  put(key: StoreKey, value: Buffer): void {
    this.#current.set(nameOf(key), { key, value });
  }

  remove(key: StoreKey): void {
    this.#current.set(nameOf(key), { key, value: null });
  }

  /** What is being planned are records, not the node's own: the first to wait where room is scarce. */
  markRecords(): void {
    this.#records.current = true;
  }

  accept(): void {
    this.#records.accepted ||= this.#records.current;
    this.#records.current = false;
    for (const [name, change] of this.#current) this.#accepted.set(name, change);
    this.#current.clear();
  }

  discard(): void {
    this.#records.current = false;
    this.#current.clear();
  }

  /** Everything accepted, in order; the staging is empty afterwards. */
  take(): { readonly changes: readonly Change[]; readonly records: boolean } {
    const changes = [...this.#accepted.values()];
    const records = this.#records.accepted;
    this.#records = { accepted: false, current: false };
    this.#accepted = new Map();
    this.#current = new Map();
    return { changes, records };
  }
}

/** Names in keys hold no control characters. */
function nameOf(key: StoreKey): string {
  return key.join('\u0000');
}
