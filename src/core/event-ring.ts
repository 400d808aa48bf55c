import type { EventPage, RuntimeEvent } from './event.js';

/** The last events of one topic, and from where on they are all there are. */
export class EventRing {
  readonly #max: number;
  #events: RuntimeEvent[] = [];
  #from: number;

  /** @param from offset of the first entry whose events come */
  constructor(max: number, from: number) {
    this.#max = max;
    this.#from = from;
  }

  push(events: readonly RuntimeEvent[]): void {
    this.#events.push(...events);
    // Twice as many, so that not each one moves all others.
    if (this.#events.length < 2 * this.#max) return;
    const dropped = this.#events.splice(0, this.#events.length - this.#max);
    // Of an entry of which one event is gone, all are.
    this.#from = (dropped.at(-1)?.offset ?? this.#from) + 1;
    this.#events = this.#events.filter(({ offset }) => offset >= this.#from);
  }

  /** Entries were passed over. */
  reset(from: number): void {
    this.#events = [];
    this.#from = from;
  }

  /**
   * @param after offset of the first entry that is asked for; null: what comes from now on
   * @param now offset of the next entry to come
   */
  page(after: number | null, now: number, max: number): EventPage {
    if (after === null) return { events: [], next: now, missed: false };
    // The topic was another one then, or this node has not read as far as another has.
    const ahead = after > now;
    const missed = ahead || after < this.#from;
    const found = ahead ? [] : this.#events.filter(({ offset }) => offset >= after);
    if (found.length <= max) return { events: found, next: now, missed };
    const last = found[max]?.offset ?? now;
    const whole = found.filter(({ offset }) => offset < last);
    // More of one entry than a page takes: these are the events of the units of a node that has gone.
    const events = whole.length > 0 ? whole : found.filter(({ offset }) => offset === last);
    return { events, next: (events.at(-1)?.offset ?? last) + 1, missed };
  }
}
