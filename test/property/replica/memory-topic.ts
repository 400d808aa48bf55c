import type { ReplicaPort, ReplicaRead } from '#troupe/core/replica/replicated-state.js';

type Record = ReplicaRead['records'][number];

/** A topic in memory, with everything that was ever appended kept for comparison. */
export class MemoryTopic implements ReplicaPort {
  readonly history: Record[] = [];
  startOffset = 0;
  appends = 0;
  /** Called before each append; a rejection is the append's. */
  beforeAppend: (values: readonly Uint8Array[]) => Promise<void> = () => Promise.resolve();
  readonly #waiting = new Set<() => void>();

  get endOffset(): number {
    return this.history.length;
  }

  get records(): readonly Record[] {
    return this.history.slice(this.startOffset);
  }

  async append(values: readonly Uint8Array[]): Promise<number> {
    await this.beforeAppend(values);
    return this.add(values);
  }

  add(values: readonly Uint8Array[]): number {
    const base = this.history.length;
    this.appends += 1;
    for (const value of values) {
      this.history.push({ offset: this.history.length, timestamp: 1000 + this.history.length, value });
    }
    for (const wake of [...this.#waiting]) wake();
    return base;
  }

  async read(from: number, waitMs: number, signal?: AbortSignal): Promise<ReplicaRead> {
    signal?.throwIfAborted();
    if (waitMs > 0 && from >= this.history.length) await this.#change(signal);
    const start = Math.max(from, this.startOffset);
    const records = this.history.slice(start, start + 7);
    const { startOffset, endOffset } = this;
    return { records, nextOffset: start + records.length, startOffset, endOffset };
  }

  async trim(offset: number): Promise<void> {
    this.startOffset = Math.max(this.startOffset, offset);
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal?.addEventListener('abort', done);
    });
  }
}
