import type { Writer } from './envelope.js';
import { hashBytes } from './hash.js';
import type { ReplicaPort } from './replica-port.js';
import { packSnapshot } from './snapshot.js';

export interface SnapshotPolicy {
  /** A snapshot is due after so many entries, or so many bytes of them. */
  readonly entries: number;
  readonly bytes: number;
}

export const DEFAULT_POLICY: SnapshotPolicy = { entries: 4096, bytes: 16 * 1024 * 1024 };

/** Of one append of snapshot parts. */
const APPEND_BYTES = 1024 * 1024;

/** When a snapshot is due, and the writing of it: one at a time, while entries go on being applied. */
export class SnapshotSchedule {
  readonly policy: SnapshotPolicy;
  readonly #port: ReplicaPort;
  readonly #writer: Writer;
  /** 1 to 1.25: some nodes wait longer, so that not all of them write one at the same entry. */
  readonly #patience: number;
  /** Applied since the state that the newest snapshot is of. */
  #entries = 0;
  #bytes = 0;
  #snapshots = 0;
  #writing: Promise<void> | null = null;

  constructor(port: ReplicaPort, writer: Writer, policy: SnapshotPolicy) {
    this.#port = port;
    this.#writer = writer;
    this.policy = policy;
    this.#patience = 1 + (hashBytes(writer.node) % 256) / 1024;
  }

  get due(): boolean {
    if (this.#writing !== null) return false;
    return (
      this.#entries >= this.policy.entries * this.#patience ||
      this.#bytes >= this.policy.bytes * this.#patience
    );
  }

  counted(bytes: number): void {
    this.#entries += 1;
    this.#bytes += bytes;
  }

  /** Somebody's snapshot is whole; `behind` entries and parts lie between its state and its last part. */
  written(behind: number): void {
    this.#entries = Math.min(this.#entries, behind);
    this.#bytes = 0;
  }

  reset(): void {
    this.#entries = 0;
    this.#bytes = 0;
  }

  /** `items` is read at once. */
  write(at: number, items: Iterable<unknown>, onFailure: (error: unknown) => void): void {
    this.reset();
    this.#snapshots += 1;
    const { node, incarnation } = this.#writer;
    const parts = packSnapshot(`${node}/${incarnation}/${this.#snapshots}`, at, items);
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

  /**
   * Any node may write one at any time: it says which offset it is of, so entries that were appended in the meantime
   * are applied on top. Only what lies before that offset may be trimmed, and only once all parts are durable.
   */
  async #append(at: number, parts: readonly Uint8Array[]): Promise<void> {
    for (let from = 0; from < parts.length;) {
      let to = from + 1;
      for (let bytes = parts[from]?.byteLength ?? 0; to < parts.length; to += 1) {
        bytes += parts[to]?.byteLength ?? 0;
        if (bytes > APPEND_BYTES) break;
      }
      await this.#port.append(parts.slice(from, to));
      from = to;
    }
    await this.#port.trim(at);
  }
}
