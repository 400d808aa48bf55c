/** Reads that wait for the first record of a queue, or of one of several. Bounded: one more than `limit` is refused. */
import { LogError } from '../log.js';

export interface ParkedRead {
  /** Answers if it can, as that queue has changed; true when it did (also with an error). */
  tryAnswer(queue: string): boolean;
  /** Its time is over: answers with nothing. */
  giveUp(): void;
  fail(error: unknown): void;
}

interface Entry {
  readonly queues: readonly string[];
  readonly read: ParkedRead;
  readonly timer: NodeJS.Timeout;
  readonly unlisten: () => void;
}

export class ParkedReads {
  readonly #limit: number;
  readonly #queues = new Map<string, Set<Entry>>();
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  park(queues: readonly string[], read: ParkedRead, waitMs: number, signal: AbortSignal | undefined): void {
    if (this.#count >= this.#limit) {
      read.fail(
        new LogError(
          'LOG_UNAVAILABLE',
          `${this.#limit} reads wait already. Try again later, or read without waiting`,
        ),
      );
      return;
    }
    const leave = (): void => this.#remove(entry);
    const onAbort = (): void => {
      leave();
      read.fail(signal?.reason);
    };
    const onTimeout = (): void => {
      leave();
      read.giveUp();
    };
    const entry: Entry = {
      queues,
      read,
      timer: setTimeout(onTimeout, Math.min(waitMs, 0x7fffffff)),
      unlisten: () => signal?.removeEventListener('abort', onAbort),
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const queue of queues) {
      const entries = this.#queues.get(queue);
      if (entries === undefined) this.#queues.set(queue, new Set([entry]));
      else entries.add(entry);
    }
    this.#count++;
  }

  /** Something was appended to the queue, or the queue has gone. */
  wake(queue: string): void {
    for (const entry of [...(this.#queues.get(queue) ?? [])]) {
      if (entry.read.tryAnswer(queue)) this.#remove(entry);
    }
  }

  wakeAll(): void {
    for (const queue of [...this.#queues.keys()]) this.wake(queue);
  }

  failAll(error: unknown): void {
    for (const entries of [...this.#queues.values()]) {
      for (const entry of [...entries]) {
        this.#remove(entry);
        entry.read.fail(error);
      }
    }
  }

  #remove(entry: Entry): void {
    let there = false;
    for (const queue of entry.queues) {
      const entries = this.#queues.get(queue);
      if (entries === undefined || !entries.delete(entry)) continue;
      there = true;
      if (entries.size === 0) this.#queues.delete(queue);
    }
    if (!there) return;
    clearTimeout(entry.timer);
    entry.unlisten();
    this.#count--;
  }
}
