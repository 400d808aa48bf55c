/** A source with a partition of its own for each row; it may retire them. Loaded as a plugin by the tests. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  sourceRecord,
  type RawConfig,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '#troupe/sdk/index.js';
import { sourceOf } from './plugin-of.js';

class PartitionsTask implements SourceTask {
  #context: SourceTaskContext | null = null;
  #batch = 100;
  #retires = false;
  /** Rows are made up to this one. */
  #last = Infinity;
  #row = 0;
  #polled: number[] = [];

  start(context: SourceTaskContext, _config: unknown, raw: RawConfig): void {
    this.#context = context;
    this.#batch = Number(raw['batch'] ?? '100');
    this.#last = Number(raw['rows'] ?? 'Infinity');
    this.#retires = raw['retire'] === 'true';
    for (const { partition } of context.positions())
      this.#row = Math.max(this.#row, Number(partition['row']));
  }

  async poll(): Promise<SourceRecord[]> {
    if (this.#retires) for (const row of this.#polled) this.#context?.retire({ row });
    if (this.#row >= this.#last) await sleep(100);
    const count = Math.min(this.#batch, this.#last - this.#row);
    this.#polled = Array.from({ length: count }, () => (this.#row += 1));
    return this.#polled.map((row) =>
      sourceRecord({ value: `row ${row}`, sourcePartition: { row }, sourcePosition: { done: true } }),
    );
  }

  stop(): void {
    this.#context = null;
  }
}

export default sourceOf(['batch', 'rows', 'retire'], () => new PartitionsTask());
