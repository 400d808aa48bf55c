import type { QueueOffset, QueueRef } from '../plugin.js';
import { NO_HEADERS, type SinkRecord } from '../record.js';

/** What a test says of a record of a topic; what is left out is null, or none. A null without a schema is a tombstone. */
export type AppendedRecord = Pick<SinkRecord, 'value'> &
  Partial<Pick<SinkRecord, 'valueSchema' | 'key' | 'keySchema' | 'timestamp' | 'headers' | 'transaction'>>;

export interface QueueInMemory extends QueueRef {
  readonly records: SinkRecord[];
  /** Next to deliver. */
  next: number;
  committed: number;
  paused: boolean;
  seeks: number;
}

/** The topics that a sink under test reads. */
export class QueuesInMemory {
  readonly #renamed: (topic: string) => string;
  #all: readonly QueueInMemory[] = [];
  /** Of each topic that was made anew or deleted. */
  readonly #lives = new Map<string, number>();

  constructor(renamed: (topic: string) => string) {
    this.#renamed = renamed;
  }

  get all(): readonly QueueInMemory[] {
    return this.#all;
  }

  find(ref: QueueRef): QueueInMemory | undefined {
    return this.#all.find(({ topic, queue }) => topic === ref.topic && queue === ref.queue);
  }

  of(topic: string): readonly QueueInMemory[] {
    return this.#all.filter((queue) => queue.topic === topic);
  }

  add({ topic, queue }: QueueRef): QueueInMemory {
    if (this.find({ topic, queue }) !== undefined) throw new Error(`${topic}/${queue} is there already`);
    const added = { topic, queue, records: [], next: 0, committed: 0, paused: false, seeks: 0 };
    this.#all = [...this.#all, added];
    return added;
  }

  remove(topic: string): void {
    this.#all = this.#all.filter((queue) => queue.topic !== topic);
    this.#nextLife(topic);
  }

  /** Nothing is in it, nothing is committed. */
  renew(topic: string): readonly QueueInMemory[] {
    this.#nextLife(topic);
    const queues = this.of(topic);
    for (const queue of queues) {
      queue.records.length = 0;
      queue.next = 0;
      queue.committed = 0;
      queue.paused = false;
    }
    return queues;
  }

  topicId(topic: string): string | null {
    return this.of(topic).length === 0 ? null : `${topic}#${this.#lives.get(topic) ?? 1}`;
  }

  append(queueIndex: number, records: readonly AppendedRecord[]): void {
    const queue = this.#all[queueIndex];
    if (queue === undefined) throw new RangeError(`there is no queue ${queueIndex}`);
    for (const { value, valueSchema = null, key = null, keySchema = null, ...rest } of records) {
      queue.records.push({
        topic: this.#renamed(queue.topic),
        queue: queue.queue,
        offset: queue.records.length,
        keySchema,
        key,
        valueSchema,
        value,
        timestamp: rest.timestamp ?? 1_700_000_000_000 + queue.records.length,
        headers: rest.headers ?? NO_HEADERS,
        originalTopic: queue.topic,
        originalQueue: queue.queue,
        originalOffset: queue.records.length,
        tombstone: value === null && valueSchema === null,
        transaction: rest.transaction ?? null,
      });
    }
  }

  seek(item: QueueOffset): void {
    const queue = this.find(item);
    if (queue === undefined) throw new Error(`seek to ${item.topic}/${item.queue}, which is not assigned`);
    if (!Number.isInteger(item.offset) || item.offset < 0 || item.offset > queue.records.length) {
      throw new Error(
        `seek to offset ${item.offset} of ${item.topic}/${item.queue}, which ends at ${queue.records.length}`,
      );
    }
    queue.seeks += 1;
    queue.next = item.offset;
  }

  #nextLife(topic: string): void {
    this.#lives.set(topic, (this.#lives.get(topic) ?? 1) + 1);
  }
}

export function refsOf(queues: readonly QueueRef[]): readonly QueueRef[] {
  return queues.map(({ topic, queue }) => ({ topic, queue }));
}
