/** `throttle.records.per.second` and `throttle.bytes.per.second`, of one task; 0: no limit. */
export interface ThrottleRates {
  readonly recordsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** How much may move at once; Infinity: however much. */
export interface Allowance {
  /** Whole records. */
  readonly records: number;
  /** The record that exceeds it may still move. */
  readonly bytes: number;
}

/** What a second brings is saved up at most: then that much moves at once. */
const SAVED_SECONDS = 1;
/** Whoever waits, waits for what this time brings: not for each record of a hundred thousand. */
const AT_ONCE_SECONDS = 0.05;

/**
 * Two token buckets, for records and for bytes. What moves is taken; of bytes more than there is, as a record is not cut, and then
 * the time it takes to pay back is waited for. Begins empty: a task that starts again and again gets nothing by it. Times in
 * milliseconds, of any clock that does not go back.
 */
export class Throttle {
  #rates: ThrottleRates;
  #records: Bucket;
  #bytes: Bucket;

  constructor(rates: ThrottleRates, now: number) {
    this.#rates = rates;
    this.#records = new Bucket(rates.recordsPerSecond, now, 0);
    this.#bytes = new Bucket(rates.bytesPerSecond, now, 0);
  }

  get rates(): ThrottleRates {
    return this.#rates;
  }

  /** From now on. What is saved, or owed, stays so in seconds. */
  set(rates: ThrottleRates, now: number): void {
    this.#records = new Bucket(rates.recordsPerSecond, now, this.#records.seconds(now));
    this.#bytes = new Bucket(rates.bytesPerSecond, now, this.#bytes.seconds(now));
    this.#rates = rates;
  }

  /** Until something may move; 0: it may. */
  waitMs(now: number): number {
    return Math.max(this.#records.waitMs(now), this.#bytes.waitMs(now));
  }

  /** While `waitMs` is 0. */
  allowance(now: number): Allowance {
    return { records: Math.floor(this.#records.tokens(now)), bytes: this.#bytes.tokens(now) };
  }

  /** So much moves. */
  take(records: number, bytes: number, now: number): void {
    this.#records.take(records, now);
    this.#bytes.take(bytes, now);
  }
}

class Bucket {
  /** Tokens of a millisecond; 0: no limit. */
  readonly #perMs: number;
  readonly #most: number;
  readonly #atOnce: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, now: number, seconds: number) {
    this.#perMs = perSecond / 1000;
    this.#most = Math.max(1, perSecond * SAVED_SECONDS);
    this.#atOnce = Math.max(1, perSecond * AT_ONCE_SECONDS);
    this.#tokens = Math.min(perSecond * seconds, this.#most);
    this.#at = now;
  }

  /** What the tokens are worth; negative: owed. */
  seconds(now: number): number {
    return this.#perMs === 0 ? 0 : this.tokens(now) / this.#perMs / 1000;
  }

  tokens(now: number): number {
    if (this.#perMs === 0) return Infinity;
    if (now > this.#at) {
      this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#at) * this.#perMs);
      this.#at = now;
    }
    return this.#tokens;
  }

  waitMs(now: number): number {
    const tokens = this.tokens(now);
    return tokens >= 1 ? 0 : (this.#atOnce - tokens) / this.#perMs;
  }

  take(count: number, now: number): void {
    if (this.#perMs > 0) this.#tokens = this.tokens(now) - count;
  }
}

/** Those of a connector, shared out evenly among its tasks. */
export function ratesOfTask(
  { recordsPerSecond, bytesPerSecond }: ThrottleRates,
  tasks: number,
): ThrottleRates {
  const of = Math.max(1, tasks);
  return { recordsPerSecond: recordsPerSecond / of, bytesPerSecond: bytesPerSecond / of };
}
