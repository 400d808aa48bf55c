import { BatchReader } from '#troupe/log/batch.js';
import {
  LogError,
  NO_MARK,
  type Fence,
  type LogCapabilities,
  type QueueEntry,
  type QueueRange,
  type StoredBatch,
} from '#troupe/log/log.js';

export interface StoredValue {
  readonly offset: number;
  readonly timestamp: number;
  readonly value: Uint8Array;
}

/** One queue of one topic: a total order. Everything is kept, what was trimmed too, to compare with. */
export class Queue {
  readonly history: StoredValue[] = [];
  /** Of appends that came as batches. */
  readonly batches: StoredBatch[] = [];
  startOffset = 0;
  #waiting: (() => void)[] = [];

  get endOffset(): number {
    return this.history.length;
  }

  /** Calls back once, when there is more. */
  onMore(wake: () => void): void {
    this.#waiting.push(wake);
  }

  add(values: readonly Uint8Array[], timestamp: number): void {
    for (const value of values) this.history.push({ offset: this.history.length, timestamp, value });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  trim(offset: number): void {
    this.startOffset = Math.max(this.startOffset, offset);
  }
}

export type OnStored = (topic: string, stored: StoredValue) => void;

/** What is durable: it outlives all nodes. Its one clock is the world's. */
export class SimulatedStore {
  readonly capabilities: LogCapabilities;
  readonly #topics = new Map<string, Queue[]>();
  readonly #fences = new Map<string, number>();
  readonly #now: () => number;
  readonly #onStored: OnStored;

  constructor(capabilities: LogCapabilities, now: () => number, onStored: OnStored) {
    this.capabilities = capabilities;
    this.#now = now;
    this.#onStored = onStored;
  }

  createTopic(topic: string, queues: number): void {
    if (this.#topics.has(topic)) return;
    this.#topics.set(
      topic,
      Array.from({ length: queues }, () => new Queue()),
    );
  }

  queues(topic: string): readonly Queue[] {
    return this.#topics.get(topic) ?? [];
  }

  queue(topic: string, queue: number): Queue {
    const found = this.#topics.get(topic)?.[queue];
    if (found === undefined) throw new LogError('LOG_UNKNOWN_QUEUE', `no queue ${queue} in ${topic}`);
    return found;
  }

  ranges(topic: string): QueueRange[] {
    return this.queues(topic).map(({ startOffset, endOffset }, queue) => ({ queue, startOffset, endOffset }));
  }

  appendBatch({ topic, queue, batch, marks }: QueueEntry): number {
    const to = this.queue(topic, queue);
    const reader = BatchReader.open(batch.bytes);
    const values: Uint8Array[] = [];
    for (let i = 0; i < reader.count; i += 1) values.push(reader.value(i) ?? new Uint8Array());
    const ids = marks?.ids ?? values.map(() => NO_MARK);
    to.batches.push({ baseOffset: to.endOffset, batch, marks: ids });
    return this.append(topic, queue, values);
  }

  append(topic: string, queue: number, values: readonly Uint8Array[]): number {
    const to = this.queue(topic, queue);
    const base = to.endOffset;
    to.add(values, this.#now());
    for (const stored of to.history.slice(base)) this.#onStored(topic, stored);
    return base;
  }

  fence({ key, epoch }: Fence): void {
    this.check({ key, epoch });
    this.#fences.set(key, epoch);
  }

  check(fence: Fence | undefined): void {
    if (!this.capabilities.fencing || fence === undefined) return;
    const present = this.#fences.get(fence.key) ?? 0;
    if (fence.epoch < present) {
      throw new LogError('LOG_FENCED', `epoch ${fence.epoch} of ${fence.key} is over: ${present} is present`);
    }
  }
}
