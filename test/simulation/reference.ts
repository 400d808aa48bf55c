import { decodeRecord, type SnapshotPart } from '#troupe/core/replica/envelope.js';
import type { Machine } from '#troupe/core/replica/machine.js';
import { SnapshotCollector } from '#troupe/core/replica/snapshot.js';
import { Writers } from '#troupe/core/replica/writers.js';
import type { Coverage } from './coverage.js';
import type { StoredValue } from './simulated-store.js';

export interface Verdict<E, R> {
  readonly entry: E;
  readonly result: R;
  /** After it; null where the machine has no running digest. */
  readonly digest: string | null;
}

/** What a topic's whole history means by the rules alone: no snapshots, no batches, no reading late. */
export class Reference<S, E, R> {
  state: S;
  readonly #machine: Machine<S, E, R>;
  readonly #writers = new Writers();
  /** By offset; null: a repeated entry, or part of a snapshot. */
  readonly #verdicts: (Verdict<E, R> | null)[] = [];

  readonly #collector = new SnapshotCollector();
  readonly #open = new Set<string>();
  readonly #coverage: Coverage;

  constructor(machine: Machine<S, E, R>, coverage: Coverage) {
    this.#machine = machine;
    this.#coverage = coverage;
    this.state = machine.initial();
  }

  /** Says what came of each entry. */
  trace: ((line: string) => void) | null = null;

  verdict(offset: number): Verdict<E, R> | null {
    return this.#verdicts[offset] ?? null;
  }

  digest(): string {
    return this.#machine.runningDigest?.(this.state) ?? this.#machine.digest(this.state);
  }

  /** `check` sees the state before the entry, and gives the look at it after. */
  take({ offset, timestamp, value }: StoredValue, check: Check<S, E, R>): void {
    this.#verdicts[offset] = null;
    const record = decodeRecord(value);
    if (record === null) throw new Error(`a record that is neither an entry nor a snapshot at ${offset}`);
    if ('snapshot' in record) {
      this.#takePart(record);
      return;
    }
    if (!this.#writers.advance(record, record.seq)) return;
    const entry = this.#machine.decode(record.entry);
    if (entry === null) throw new Error(`not a valid entry: ${JSON.stringify(record.entry)}`);
    const { node, incarnation } = record;
    const after = check(this.state, entry, { id: node, incarnation });
    const { state, result } = this.#machine.apply(this.state, entry, {
      offset,
      timestamp,
      writer: { node, incarnation },
    });
    this.state = state;
    this.#verdicts[offset] = { entry, result, digest: this.#machine.runningDigest?.(state) ?? null };
    this.trace?.(`${offset} ${incarnation} ${JSON.stringify(entry)} -> ${JSON.stringify(result)}`);
    after(state, result);
  }

  /** At the end: snapshots that never became whole. */
  get torn(): number {
    return this.#open.size;
  }

  #takePart(part: SnapshotPart): void {
    this.#open.add(part.snapshot);
    if (this.#collector.add(part, false) === null) return;
    this.#open.delete(part.snapshot);
    this.#coverage.saw('snapshot written');
  }
}

export type Check<S, E, R> = (
  before: S,
  entry: E,
  by: { readonly id: string; readonly incarnation: string },
) => (after: S, result: R) => void;
