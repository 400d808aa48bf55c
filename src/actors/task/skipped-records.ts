import type { Counter } from '../../sdk/metrics.js';
import type { ActorLogger } from '../kernel/protocol.js';

/** Where a record stands, for people: in a queue, or in its source. */
export type RecordPlace = object;

/** A connector may skip every record: the first is said at once, then sums no more often than this. */
const SAY_EVERY_MS = 10_000;

/** Leaves a trace of the records that `errors.tolerance` lets the task skip, in the log and in the status. */
export class SkippedRecords {
  readonly #log: Pick<ActorLogger, 'warn'>;
  readonly #onCount: (total: number) => void;
  readonly #counter: Counter | null;
  #total = 0;
  #said = 0;
  #last: { readonly cause: string; readonly place: RecordPlace } | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    log: Pick<ActorLogger, 'warn'>,
    onCount: (total: number) => void,
    counter: Counter | null = null,
  ) {
    this.#log = log;
    this.#counter = counter;
    this.#onCount = onCount;
  }

  get total(): number {
    return this.#total;
  }

  add(cause: string, place: RecordPlace): void {
    this.#total += 1;
    this.#counter?.add();
    this.#last = { cause, place };
    if (this.#timer === null) this.#say();
  }

  /** Says what was not said yet. Those that are added later are said as before. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#say();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #say(): void {
    this.#timer = null;
    if (this.#last === null || this.#said === this.#total) return;
    const { cause, place } = this.#last;
    const skipped = this.#total - this.#said;
    this.#log.warn(
      { code: 'RECORDS_SKIPPED', skipped, total: this.#total, cause, ...place },
      'bad records were skipped, as errors.tolerance=all wants it; this is the last one',
    );
    this.#said = this.#total;
    this.#onCount(this.#total);
    this.#timer = setTimeout(() => {
      this.#say();
    }, SAY_EVERY_MS);
    this.#timer.unref();
  }
}
