import type { Writer } from './envelope.js';
import { hashBytes } from '../hash.js';
import type { ReplicaPort } from './replica-port.js';
import { PART_BYTES, packSnapshot } from './snapshot.js';

export interface SnapshotPolicy {
  /** A snapshot is due after so many entries, or so many bytes of them. */
  readonly entries: number;
  readonly bytes: number;
  /** Of one part of it, where that is not the default. */
  readonly partBytes?: number;
  /** Of one append of parts, where that is not the default. */
  readonly appendBytes?: number;
  /** And not before so many times the bytes of the newest one were written: of a large state they are rare. */
  readonly timesNewest?: number;
}

export const DEFAULT_POLICY: SnapshotPolicy = { entries: 4096, bytes: 16 * 1024 * 1024 };

/** Where the counters go back to; a snapshot that is torn is made up for when they have come from there. */
const WHILE_OTHERS_WRITE = 0.75;
const APPEND_BYTES = 1024 * 1024;
const TIMES_NEWEST = 4;
/** The longest that a node waits for others to write one, in times what is due, where few write to the topic. */
const PATIENCE = 0.25;
/** With more than this, longer: while one is on its way to the log a thousand nodes would write theirs. */
const FEW_WRITERS = 32;
const MOST_PATIENCE = 4;
/** How old the newest snapshot is is not known at the start, nor whether a failed one can be written soon. */
const AGE_UNKNOWN_MS = 600_000;

/** When a snapshot is due, and the writing of it: one at a time, while entries go on being applied. */
export class SnapshotSchedule {
  readonly policy: SnapshotPolicy;
  readonly #port: ReplicaPort;
  readonly #writer: Writer;
  /** 0 to 1: some nodes wait longer, so that not all of them write one at the same entry. */
  readonly #share: number;
  /** How many write to the topic. */
  writers = 0;
  #newestBytes = 0;
  /** Applied since the state that the newest snapshot is of. */
  #entries = 0;
  #bytes = 0;
  #snapshots = 0;
  #writing: Promise<void> | null = null;
  #dueAtMs = Infinity;

  constructor(port: ReplicaPort, writer: Writer, policy: SnapshotPolicy) {
    this.#port = port;
    this.#writer = writer;
    this.policy = policy;
    this.#share = (hashBytes(writer.node) % 1024) / 1024;
  }

  get due(): boolean {
    if (this.#writing !== null) return false;
    if ((this.#port.snapshots?.now() ?? 0) >= this.#dueAtMs) return true;
    const patience = this.#patience;
    if (this.#bytes < this.#newestBytes * (this.policy.timesNewest ?? TIMES_NEWEST) * patience) return false;
    return this.#entries >= this.policy.entries * patience || this.#bytes >= this.policy.bytes * patience;
  }

  get #patience(): number {
    const most = Math.min(MOST_PATIENCE, (PATIENCE * Math.max(this.writers, FEW_WRITERS)) / FEW_WRITERS);
    return 1 + this.#share * most;
  }

  /** From here on what is read is new. */
  following(): void {
    this.#dueAtMs = this.#dueIn(AGE_UNKNOWN_MS);
  }

  counted(bytes: number): void {
    this.#entries += 1;
    this.#bytes += bytes;
  }

  /** Somebody's snapshot is whole; `behind` entries and parts lie between its state and its last part. */
  written(behind: number, parts = 1): void {
    this.#entries = Math.min(this.#entries, behind);
    // What fits into one part is small.
    this.#newestBytes = (parts - 1) * (this.policy.partBytes ?? PART_BYTES);
    this.#bytes = 0;
    this.#dueAtMs = this.#dueIn(this.#port.snapshots?.everyMs ?? 0);
  }

  /** Somebody else writes one: it may be whole soon. In a large cluster many would write theirs beside it. */
  begun(): void {
    this.#entries = Math.min(this.#entries, Math.floor(this.policy.entries * WHILE_OTHERS_WRITE));
    this.#bytes = Math.min(this.#bytes, Math.floor(this.policy.bytes * WHILE_OTHERS_WRITE));
  }

  reset(): void {
    this.#entries = 0;
    this.#bytes = 0;
  }

  /** `items` is read at once. */
  write(at: number, items: Iterable<unknown>, onFailure: (error: unknown) => void): void {
    this.reset();
    this.#dueAtMs = this.#dueIn(AGE_UNKNOWN_MS);
    this.#snapshots += 1;
    const { node, incarnation } = this.#writer;
    const id = `${node}/${incarnation}/${this.#snapshots}`;
    const parts = packSnapshot(id, at, items, this.policy.partBytes);
    this.#writing = this.#append(at, parts)
      .catch((error: unknown) => {
        // Not at once again: the log may be full.
        this.#entries = Math.floor(this.policy.entries / 2);
        onFailure(error);
      })
      .finally(() => {
        this.#writing = null;
      });
  }

  async settled(): Promise<void> {
    await this.#writing;
  }

  #dueIn(ms: number): number {
    const { snapshots } = this.#port;
    return snapshots === undefined ? Infinity : snapshots.now() + ms * (1 + this.#share * PATIENCE);
  }

  /**
   * Any node may write one at any time: it says which offset it is of, so entries that were appended in the meantime
   * are applied on top. Only what lies before that offset may be trimmed, and only once all parts are durable.
   */
  async #append(at: number, parts: readonly Uint8Array[]): Promise<void> {
    const most = this.policy.appendBytes ?? APPEND_BYTES;
    for (let from = 0; from < parts.length;) {
      let to = from + 1;
      for (let bytes = parts[from]?.byteLength ?? 0; to < parts.length; to += 1) {
        bytes += parts[to]?.byteLength ?? 0;
        if (bytes > most) break;
      }
      await this.#port.append(parts.slice(from, to));
      from = to;
    }
    await this.#port.trim(at);
  }
}
