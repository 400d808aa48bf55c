import { EventRing } from '../core/event-ring.js';
import type { EventPage, EventsRequest, RuntimeEvent } from '../core/event.js';

/** Of one topic; with a failure's trace each has a few KB at most. */
const KEPT = 1000;
const MAX_PAGE = 200;

/** The last events of a topic, for whoever asks, and waits. */
export class EventPages {
  readonly #ring: EventRing;
  readonly #now: () => number;
  /** As many as asks: those are bounded by the mailbox. */
  readonly #waiting = new Set<() => void>();

  /** @param now offset of the next entry to come */
  constructor(now: () => number) {
    this.#now = now;
    this.#ring = new EventRing(KEPT, now());
  }

  push(events: readonly RuntimeEvent[]): void {
    if (events.length === 0) return;
    this.#ring.push(events);
    this.#wake();
  }

  reset(): void {
    this.#ring.reset(this.#now());
    this.#wake();
  }

  async page({ after, waitMs }: EventsRequest, signal: AbortSignal): Promise<EventPage> {
    const page = this.#ring.page(after, this.#now(), MAX_PAGE);
    if (waitMs <= 0 || after === null || page.missed || page.events.length > 0) return page;
    await this.#news(waitMs, signal);
    return this.#ring.page(after, this.#now(), MAX_PAGE);
  }

  #news(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
      else this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
