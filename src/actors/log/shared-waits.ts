/** Reads of one client that wait for records: many of them wait in one message. */
import type { QueuePlace, ReadableQueues } from '../../log/embedded/queue-reader.js';

/** In one message: what it costs the log when one of them gets a record and the others wait on. */
const MAX_GROUP = 128;
/** So many messages beyond the fewest that would do, and they are sent anew. */
const MAX_MORE = 8;
const WAIT_MS = 60_000;

export type AwaitRecords = (
  queues: readonly QueuePlace[],
  waitMs: number,
  signal: AbortSignal,
) => Promise<ReadableQueues>;

/** `gone`: the topic is not there any more, or is another one. */
export type WaitOutcome = 'readable' | 'gone' | 'in time';

interface Waiter {
  readonly at: QueuePlace;
  readonly settle: (outcome: WaitOutcome) => void;
  readonly fail: (error: unknown) => void;
}

interface Group {
  readonly waiters: ReadonlySet<Waiter>;
  readonly over: AbortController;
}

/**
 * Each read that waits for itself would be a message that is not done, and 1,024 of these fill the channel to the log: then
 * nothing else gets through. Messages under way are at most one for each `MAX_GROUP` reads and `MAX_MORE`.
 */
export class SharedWaits {
  readonly #ask: AwaitRecords;
  /** Those that wait. */
  readonly #waiters = new Set<Waiter>();
  /** Those of them that no message says yet. */
  #joining = new Set<Waiter>();
  readonly #groups = new Set<Group>();
  #soon = false;

  constructor(ask: AwaitRecords) {
    this.#ask = ask;
  }

  /** Until there are records, the time is over, or the signal, with whose reason it rejects. */
  wait(at: QueuePlace, waitMs: number, signal: AbortSignal): Promise<WaitOutcome> {
    return new Promise((resolve, reject) => {
      const failed: (error: unknown) => void = reject;
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#waiters.delete(waiter);
        this.#joining.delete(waiter);
      };
      const waiter: Waiter = {
        at,
        settle: (outcome) => {
          leave();
          resolve(outcome);
        },
        fail: (error) => {
          leave();
          failed(error);
        },
      };
      const onAbort = (): void => {
        waiter.fail(signal.reason);
      };
      const timer = setTimeout(waiter.settle, waitMs, 'in time');
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
      this.#join([waiter]);
    });
  }

  /** Ends the messages; the reads end by their signals. */
  close(): void {
    for (const { over } of this.#groups) over.abort();
    this.#groups.clear();
  }

  /** Those that come in one turn of the event loop go together. */
  #join(waiters: Iterable<Waiter>): void {
    for (const waiter of waiters) if (this.#waiters.has(waiter)) this.#joining.add(waiter);
    if (this.#soon || this.#joining.size === 0) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#send();
    });
  }

  #send(): void {
    const fewest = Math.ceil(this.#waiters.size / MAX_GROUP);
    if (this.#groups.size + Math.ceil(this.#joining.size / MAX_GROUP) > fewest + MAX_MORE) {
      for (const { over } of this.#groups) over.abort();
      this.#groups.clear();
      this.#joining = new Set(this.#waiters);
    }
    const all = [...this.#joining];
    this.#joining.clear();
    for (let i = 0; i < all.length; i += MAX_GROUP) void this.#sendGroup(all.slice(i, i + MAX_GROUP));
  }

  async #sendGroup(waiters: readonly Waiter[]): Promise<void> {
    const group: Group = { waiters: new Set(waiters), over: new AbortController() };
    this.#groups.add(group);
    try {
      const { readable, gone } = await this.#ask(
        waiters.map(({ at }) => at),
        WAIT_MS,
        group.over.signal,
      );
      for (const index of gone) waiters[index]?.settle('gone');
      for (const index of readable) waiters[index]?.settle('readable');
      if (this.#groups.delete(group)) this.#join(waiters);
    } catch (error) {
      // Ended to be sent anew.
      if (!this.#groups.delete(group)) return;
      for (const waiter of waiters) if (this.#waiters.has(waiter)) waiter.fail(error);
    }
  }
}
