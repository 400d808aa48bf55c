import type { QueueRef } from '../../../sdk/plugin.js';
import { queueKey, type FetchedBatch, type SinkQueue } from './sink-queue.js';

/** The queues that a sink's task reads at the moment. */
export class SinkQueues {
  #all: readonly SinkQueue[] = [];
  readonly #byKey = new Map<string, SinkQueue>();
  #turn = 0;

  get all(): readonly SinkQueue[] {
    return this.#all;
  }

  get size(): number {
    return this.#all.length;
  }

  /** By `queueKey`. */
  of(key: string): SinkQueue | undefined {
    return this.#byKey.get(key);
  }

  add(queues: readonly SinkQueue[]): void {
    this.#all = [...this.#all, ...queues];
    for (const queue of queues) this.#byKey.set(queueKey(queue), queue);
  }

  /** They are not read any more. */
  remove(queues: readonly SinkQueue[]): void {
    const gone = new Set(queues);
    this.#all = this.#all.filter((queue) => !gone.has(queue));
    for (const queue of queues) {
      queue.close();
      this.#byKey.delete(queueKey(queue));
    }
  }

  pause(queues: readonly QueueRef[], paused: boolean): void {
    for (const at of queues) {
      const queue = this.#byKey.get(queueKey(at));
      if (queue !== undefined) queue.paused = paused;
    }
  }

  /** The next queue with something to deliver, in turn, so that a busy one does not starve the others. */
  next(mayDeliver: (queue: SinkQueue) => boolean): {
    readonly queue: SinkQueue;
    readonly batch: FetchedBatch;
  } | null {
    for (let i = 0; i < this.#all.length; i += 1) {
      this.#turn = (this.#turn + 1) % this.#all.length;
      const queue = this.#all[this.#turn];
      if (queue === undefined || queue.paused || queue.held || !mayDeliver(queue)) continue;
      const batch = queue.peek();
      if (batch !== null) return { queue, batch };
    }
    return null;
  }
}
