import { BatchBuilder, BatchReader } from '#troupe/log/batch.js';
import {
  LogError,
  NO_MARK,
  type AppendRequest,
  type Log,
  type QueueRange,
  type ReadRequest,
  type ReadResult,
  type StoredBatch,
} from '#troupe/log/log.js';

export class Crash extends Error {}

interface Stored {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly writer: number | null;
  readonly mark: number;
}

/** What a send comes to. A crash, and an answer that is lost, come before or after it was stored. */
export type Fate = 'done' | 'lost' | 'answer lost' | 'crash' | 'crash after';

const PART = 3;

/**
 * A log in memory that stores an append part by part, as RocketMQ does: each part wholly or not at all, with records
 * of others in between. It outlives the crashes of its clients.
 */
export class TwoStepLog implements Pick<Log, 'append' | 'read' | 'ranges' | 'capabilities'> {
  readonly capabilities = { atomicAppend: false, fencing: false, trim: false, maxRecordBytes: 1 << 20 };
  readonly #queues = new Map<string, Stored[]>();
  readonly #fate: () => Fate;
  readonly #others: () => number;

  /** `others`: how many records of others come before the next part. */
  constructor(fate: () => Fate, others: () => number) {
    this.#fate = fate;
    this.#others = others;
  }

  createTopic(topic: string, queues: number): void {
    for (let queue = 0; queue < queues; queue += 1) this.#queues.set(`${topic} ${queue}`, []);
  }

  stored(topic: string, queue: number): readonly Stored[] {
    return this.#queue(topic, queue);
  }

  async append({ entries }: AppendRequest): Promise<readonly number[]> {
    const offsets: number[] = [];
    for (const { topic, queue, batch, marks } of entries) {
      const to = this.#queue(topic, queue);
      const records = BatchReader.open(batch.bytes);
      for (let at = 0; at < records.count; at += PART) {
        await Promise.resolve();
        const fate = this.#fate();
        if (fate === 'crash') throw new Crash();
        if (fate === 'lost') throw unknown();
        if (topic !== 'positions')
          for (let i = this.#others(); i > 0; i -= 1)
            to.push({ key: null, value: Buffer.from('other'), writer: 1, mark: 1 });
        if (at === 0) offsets.push(to.length);
        for (let i = at; i < Math.min(at + PART, records.count); i += 1)
          to.push({
            key: records.key(i),
            value: records.value(i),
            writer: marks?.writer ?? null,
            mark: marks?.ids[i] ?? NO_MARK,
          });
        if (fate === 'crash after') throw new Crash();
        if (fate === 'answer lost') throw unknown();
      }
    }
    return offsets;
  }

  async read({ topic, queue, offset, markedBy }: ReadRequest): Promise<ReadResult> {
    await Promise.resolve();
    const from = this.#queue(topic, queue);
    const found = from.slice(offset, offset + 4);
    const builder = new BatchBuilder();
    for (const { key, value } of found) builder.add(key, value, 0, null);
    const marks = found.map(({ writer, mark }) => (writer === markedBy ? mark : NO_MARK));
    const batches: StoredBatch[] =
      found.length === 0 ? [] : [{ baseOffset: offset, batch: builder.build(), marks }];
    return { batches, nextOffset: offset + found.length, startOffset: 0, endOffset: from.length };
  }

  async ranges(topic: string): Promise<readonly QueueRange[]> {
    await Promise.resolve();
    return [...this.#queues]
      .filter(([name]) => name.startsWith(`${topic} `))
      .map(([, stored], queue) => ({ queue, startOffset: 0, endOffset: stored.length }));
  }

  #queue(topic: string, queue: number): Stored[] {
    const found = this.#queues.get(`${topic} ${queue}`);
    if (found === undefined) throw new LogError('LOG_UNKNOWN_TOPIC', topic);
    return found;
  }
}

function unknown(): LogError {
  return new LogError('LOG_UNAVAILABLE', 'nobody knows');
}
