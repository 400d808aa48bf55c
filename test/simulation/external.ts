import type { Coverage } from './coverage.js';

/** Parts of a source's data, dealt to its tasks in turn. */
export const PARTITIONS = 3;
/** Records of a partition; then there is nothing more to poll. */
const RECORDS = 40;

/** The systems outside the cluster: what the sources hold, and what the sinks were given. */
export class External {
  /** Nothing new comes to the sources. */
  quiet = false;
  readonly #coverage: Coverage;
  /** The source let go of everything up to here, as it was told that it may. */
  readonly #forgotten = new Map<string, number>();
  readonly #delivered = new Map<string, Set<number>>();

  constructor(coverage: Coverage) {
    this.#coverage = coverage;
  }

  /** The next records of a partition after a position. */
  poll(partition: string, after: number, count: number): readonly number[] {
    if (this.quiet) return [];
    const from = Math.max(after, this.#forgotten.get(partition) ?? 0);
    return Array.from({ length: Math.max(0, Math.min(count, RECORDS - from)) }, (_, i) => from + 1 + i);
  }

  forget(partition: string, upTo: number): void {
    this.#forgotten.set(partition, Math.max(upTo, this.#forgotten.get(partition) ?? 0));
  }

  get forgotten(): ReadonlyMap<string, number> {
    return this.#forgotten;
  }

  /** Written by a sink, for ever. */
  deliver(connector: string, topic: string, queue: number, offset: number): void {
    const key = `${connector}\n${topic}\n${queue}`;
    let offsets = this.#delivered.get(key);
    if (offsets === undefined) {
      offsets = new Set();
      this.#delivered.set(key, offsets);
    }
    if (offsets.has(offset)) this.#coverage.saw('record delivered twice');
    offsets.add(offset);
  }

  /** The first offset of a queue that a sink has not written. */
  deliveredTo(connector: string, topic: string, queue: number): number {
    const offsets = this.#delivered.get(`${connector}\n${topic}\n${queue}`);
    let next = 0;
    while (offsets?.has(next) === true) next += 1;
    return next;
  }
}
