import type { MetricsMemory } from '../actors/kernel/metrics-writer.js';
import type { ActorId, ActorMetrics, MetricsReport } from '../actors/kernel/protocol.js';
import { MAX_METRICS_BYTES } from '../actors/kernel/metrics-chunk.js';

/** Of actors that have no thread now: a task that rests, or went to another node. The oldest are forgotten first. */
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
const MAX_KEPT_ACTORS = 10_000;

interface Entry {
  readonly id: ActorId;
  readonly born: number;
  life: number;
  thread: ActorMetrics['thread'];
  /** Its last thread has. */
  failed: boolean;
  restarts: number;
  readonly chunks: SharedArrayBuffer[];
  bytes: number;
  changed: number;
}

const NEW = { thread: 'starting', failed: false, restarts: 0, bytes: 0, changed: 0 } as const;

/**
 * Keeps what the actors have counted, in memory that their threads share: what one has counted goes on with the next, also
 * when it was stopped and started again. It looks into none of it.
 */
export class MetricsLedger {
  /** Those that have had no thread for longest come first. */
  readonly #entries = new Map<ActorId, Entry>();
  #lives = 0;
  #version = 0;

  /** For a thread about to be made. */
  begin(id: ActorId): MetricsMemory {
    this.#lives += 1;
    const life = this.#lives;
    const known = this.#entries.get(id);
    const entry: Entry = known ?? { ...NEW, id, born: life, life, chunks: [] };
    entry.life = life;
    entry.thread = 'starting';
    if (entry.failed) entry.restarts += 1;
    entry.failed = false;
    this.#entries.set(id, entry);
    this.#touch(entry);
    return { life: entry.life, chunks: [...entry.chunks] };
  }

  started(id: ActorId): void {
    this.#change(id, 'running');
  }

  /** `failed`: otherwise than because it was told to, or was done. */
  ended(id: ActorId, failed: boolean): void {
    this.#change(id, 'none');
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.failed = failed;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    this.#forgetOldest();
  }

  /** Its thread goes on in this memory as well. */
  add(id: ActorId, memory: SharedArrayBuffer): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.bytes + memory.byteLength > MAX_METRICS_BYTES) return;
    entry.chunks.push(memory);
    entry.bytes += memory.byteLength;
    this.#touch(entry);
  }

  /** What has changed since a report; 0: all. */
  since(version: number): MetricsReport {
    const entries = [...this.#entries.values()];
    return {
      version: this.#version,
      ids: entries.map(({ id }) => id),
      changed: entries
        .filter(({ changed }) => changed > version)
        .map(({ id, born, life, thread, restarts, chunks }) => ({
          id,
          born,
          life,
          thread,
          restarts,
          chunks: [...chunks],
        })),
    };
  }

  #change(id: ActorId, thread: Entry['thread']): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.thread = thread;
    this.#touch(entry);
  }

  #touch(entry: Entry): void {
    this.#version += 1;
    entry.changed = this.#version;
  }

  #forgetOldest(): void {
    const kept = [...this.#entries.values()].filter(({ thread }) => thread === 'none');
    let bytes = kept.reduce((sum, entry) => sum + entry.bytes, 0);
    let count = kept.length;
    for (const entry of kept) {
      if (bytes <= MAX_KEPT_BYTES && count <= MAX_KEPT_ACTORS) return;
      this.#entries.delete(entry.id);
      bytes -= entry.bytes;
      count -= 1;
      this.#version += 1;
    }
  }
}
