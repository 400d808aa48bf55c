import type { Writer } from '#troupe/core/envelope.js';

/** Numbers from a seed. `next(n)` is from 0 to n - 1. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  }

  chance(percent: number): boolean {
    return this.next(100) < percent;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.next(Math.max(1, items.length))];
  }
}

/** Virtual time: what was scheduled happens in order, and time jumps from one event to the next. */
export class Clock {
  now = 0;
  /** The next event last. */
  readonly #events: { readonly at: number; readonly action: () => void }[] = [];

  after(ms: number, action: () => void): void {
    const at = this.now + ms;
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.at ?? 0) > at) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, { at, action });
  }

  /** Runs everything due until then; `each` is called after every event. */
  runUntil(end: number, each: () => void): void {
    for (
      let event = this.#events.at(-1);
      event !== undefined && event.at <= end;
      event = this.#events.at(-1)
    ) {
      this.#events.pop();
      this.now = event.at;
      event.action();
      each();
    }
    this.now = end;
  }
}

export interface LogEntry {
  readonly offset: number;
  readonly timestamp: number;
  readonly writer: Writer;
  readonly seq: number;
  readonly entry: unknown;
}

/** One topic with one queue: a total order. */
export class SimulatedLog {
  readonly entries: LogEntry[] = [];
  readonly #clock: Clock;
  readonly #onAppend: () => void;

  constructor(clock: Clock, onAppend: () => void) {
    this.#clock = clock;
    this.#onAppend = onAppend;
  }

  append(writer: Writer, seq: number, entry: unknown): void {
    this.entries.push({ offset: this.entries.length, timestamp: this.#clock.now, writer, seq, entry });
    this.#onAppend();
  }
}

/** Where a node is, as far as time and the network are concerned. */
export interface Condition {
  dead: boolean;
  /** The process does nothing. */
  pausedUntil: number;
  /** The process goes on, and does not reach the log. */
  cutOffUntil: number;
}

/** How one append of a node fares. */
export class Network {
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  latency(): number {
    return 1 + this.#random.next(this.#random.chance(2) ? 2000 : 60);
  }

  /** Appends late, twice, never, or never as far as the sender knows. */
  carry(from: Condition, append: () => void, done: (ok: boolean) => void): void {
    const cutOffFor = Math.max(0, from.cutOffUntil - this.#clock.now);
    const lost = this.#random.chance(cutOffFor > 0 ? 50 : 1);
    this.#clock.after(cutOffFor + this.latency(), () => {
      if (!lost) append();
      if (this.#random.chance(lost ? 20 : 5)) this.#clock.after(this.#random.next(5000), append);
      done(!lost);
    });
  }
}
