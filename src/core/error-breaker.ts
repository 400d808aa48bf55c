/** `errors.breaker.*`: when bad records are so many that skipping them is worse than stopping. */
export interface BreakerSettings {
  /** Bad records among `window` records in a row that stop the task; 0: it never stops for that. */
  readonly failures: number;
  readonly window: number;
}

/**
 * Counts the bad records among the last ones. Records are numbered as they come; that one is bad may be found out in another
 * order, as a whole batch is converted before it is put. Remembers the numbers of a window and of the batch at hand.
 */
export class ErrorBreaker {
  readonly #settings: BreakerSettings;
  #next = 0;
  /** Numbers of bad records, in order. */
  #bad: number[] = [];

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
  }

  /** Number of the next record. */
  get next(): number {
    return this.#next;
  }

  /** So many records were looked at, whatever became of them. */
  passed(records: number): void {
    this.#next += records;
  }

  /** Whether the record of that number is one bad record too many. That one does not count then. */
  trips(number: number): boolean {
    const { failures, window } = this.#settings;
    if (failures === 0) return false;
    const at = this.#bad.findLastIndex((each) => each <= number) + 1;
    const bad = this.#bad.toSpliced(at, 0, number);
    // Each run of `failures` bad records that this one is part of.
    for (let from = Math.max(0, at - failures + 1); from <= at; from += 1) {
      const last = bad[from + failures - 1];
      if (last !== undefined && last - (bad[from] ?? 0) < window) return true;
    }
    // A later one is of a later record, or of the same batch, in order once more.
    this.#bad = bad.filter((each) => each > number - window);
    return false;
  }
}
