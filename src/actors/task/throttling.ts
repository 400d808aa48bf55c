/** A task moves no more than `throttle.*` of its connector allow: what waits, and what is said of it. */
import { Throttle, type Allowance, type ThrottleRates } from '../../core/throttle.js';
import type { Counter } from '../../sdk/metrics.js';

const CODE = 'THROTTLED';
/** It is said until nothing has waited for so long. */
const SAID_MS = 10_000;

export interface ThrottlingParts {
  /** Of this task. */
  readonly rates: ThrottleRates;
  /** Seconds. */
  readonly waited: Pick<Counter, 'add'>;
  readonly note: (code: string, message: string | null) => void;
  readonly now?: () => number;
}

/** What the loops look at. */
export type Throttled = Pick<
  Throttling,
  'limits' | 'countsBytes' | 'waitMs' | 'allowance' | 'took' | 'waited'
>;

export class Throttling {
  readonly #parts: ThrottlingParts;
  readonly #throttle: Throttle;
  readonly #now: () => number;
  #limits = false;
  #saidUntil = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: ThrottlingParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.#throttle = new Throttle(parts.rates, this.#now());
    this.#limits = isLimit(parts.rates);
  }

  /** False: nothing need be asked of it. */
  get limits(): boolean {
    return this.#limits;
  }

  get countsBytes(): boolean {
    return this.#throttle.rates.bytesPerSecond > 0;
  }

  /** Of this task, from now on. */
  set(rates: ThrottleRates): void {
    const before = this.#throttle.rates;
    if (before.recordsPerSecond === rates.recordsPerSecond && before.bytesPerSecond === rates.bytesPerSecond)
      return;
    this.#throttle.set(rates, this.#now());
    this.#limits = isLimit(rates);
    this.#unsay();
  }

  /** Until something may move; 0: it may. */
  get waitMs(): number {
    return this.#limits ? this.#throttle.waitMs(this.#now()) : 0;
  }

  /** While `waitMs` is 0. */
  get allowance(): Allowance {
    return this.#throttle.allowance(this.#now());
  }

  took(records: number, bytes: number): void {
    if (this.#limits) this.#throttle.take(records, bytes, this.#now());
  }

  /** There was something to move, and it has waited for so long. */
  waited(ms: number): void {
    this.#parts.waited.add(ms / 1000);
    this.#saidUntil = this.#now() + SAID_MS;
    if (this.#timer !== null) return;
    this.#parts.note(CODE, described(this.#throttle.rates));
    this.#look(SAID_MS);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #look(ms: number): void {
    this.#timer = setTimeout(() => {
      const leftMs = this.#saidUntil - this.#now();
      if (leftMs > 0) this.#look(leftMs);
      else this.#unsay();
    }, ms).unref();
  }

  #unsay(): void {
    if (this.#timer === null) return;
    this.close();
    this.#parts.note(CODE, null);
  }
}

function isLimit({ recordsPerSecond, bytesPerSecond }: ThrottleRates): boolean {
  return recordsPerSecond > 0 || bytesPerSecond > 0;
}

function described({ recordsPerSecond, bytesPerSecond }: ThrottleRates): string {
  const limits = [
    recordsPerSecond > 0 ? `${shown(recordsPerSecond)} records a second (throttle.records.per.second)` : '',
    bytesPerSecond > 0 ? `${shown(bytesPerSecond)} bytes a second (throttle.bytes.per.second)` : '',
  ].filter((limit) => limit !== '');
  return `there is more to move than this task's share of its connector's throttle allows: ${limits.join(' and ')}`;
}

function shown(rate: number): string {
  return rate >= 10 ? String(Math.floor(rate)) : String(Math.floor(rate * 100) / 100);
}
