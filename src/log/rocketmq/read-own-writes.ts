/**
 * A broker acknowledges a message before its readers see it: its queues are built from its log, a moment later. What
 * this client appended itself it must find, though, and an offset that an append answered is not beyond the end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { BrokerQueue } from './remoting/client.js';

const MAX_QUEUES = 10_000;
const POLL_MS = 1;
/** Less than an actor that starts may take: a topic that others made anew may never end there. */
const PATIENCE_MS = 2000;

export class ReadOwnWrites {
  readonly #patienceMs: number;
  /** Where each queue ends at least, as far as that is not known to be seen by readers. */
  readonly #ends = new LRUCache<string, number>({ max: MAX_QUEUES });

  /** A broker that is further behind answers as if the messages were not there. */
  constructor(patienceMs = PATIENCE_MS) {
    this.#patienceMs = patienceMs;
  }

  appended(topic: string, queue: BrokerQueue, end: number): void {
    this.#ends.set(keyOf(topic, queue), Math.max(end, this.#ends.get(keyOf(topic, queue)) ?? 0));
  }

  /** Resolves when readers see what was appended before. `maxOffset`: asks the broker for the end of the queue. */
  async visible(topic: string, queue: BrokerQueue, maxOffset: () => Promise<number>): Promise<void> {
    const key = keyOf(topic, queue);
    const end = this.#ends.get(key);
    if (end === undefined) return;
    const deadline = performance.now() + this.#patienceMs;
    for (;;) {
      // The last look begins after the deadline: this process may have been held up, too.
      const late = performance.now() >= deadline;
      if ((await maxOffset()) >= end || late) break;
      await sleep(POLL_MS);
    }
    if (this.#ends.get(key) === end) this.#ends.delete(key);
  }
}

function keyOf(topic: string, { broker, queueId }: BrokerQueue): string {
  return `${topic}\n${broker}\n${queueId}`;
}
