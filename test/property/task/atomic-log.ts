import { BatchReader } from '#troupe/log/batch.js';
import { LogError, type AppendRequest, type Log } from '#troupe/log/log.js';
import { readTransaction } from '#troupe/log/transaction-mark.js';
import type { RecordTransaction } from '#troupe/sdk/index.js';
import { Crash } from './two-step-log.js';

export interface StoredRecord {
  readonly value: Uint8Array | null;
  readonly transaction: RecordTransaction | null;
}

export type AtomicFate = 'done' | 'crash' | 'crash after' | 'refused' | 'answer lost';

/** A log in memory that stores an append wholly or not at all, as the embedded one does. It outlives the crashes of its clients. */
export class AtomicLog implements Pick<Log, 'append' | 'capabilities'> {
  readonly capabilities = { atomicAppend: true, fencing: true, trim: true, maxRecordBytes: 1 << 20 };
  readonly #queues = new Map<string, StoredRecord[]>();
  readonly #fate: () => AtomicFate;
  readonly #onAppended: () => void;

  constructor(fate: () => AtomicFate, onAppended: () => void) {
    this.#fate = fate;
    this.#onAppended = onAppended;
  }

  createTopic(topic: string, queues: number): void {
    for (let queue = 0; queue < queues; queue += 1) this.#queues.set(`${topic} ${queue}`, []);
  }

  stored(topic: string, queue: number): readonly StoredRecord[] {
    return this.#queue(topic, queue);
  }

  async append({ entries }: AppendRequest): Promise<readonly number[]> {
    await Promise.resolve();
    const fate = this.#fate();
    if (fate === 'crash') throw new Crash();
    if (fate === 'refused') throw new LogError('LOG_FULL', 'no room now');
    const offsets = entries.map(({ topic, queue, batch }) => {
      const to = this.#queue(topic, queue);
      const base = to.length;
      const records = BatchReader.open(batch.bytes);
      for (let i = 0; i < records.count; i += 1)
        to.push({
          value: records.value(i),
          transaction: readTransaction(records.headers(i)).transaction,
        });
      return base;
    });
    this.#onAppended();
    if (fate === 'crash after') throw new Crash();
    if (fate === 'answer lost') throw new LogError('LOG_UNAVAILABLE', 'nobody knows');
    return offsets;
  }

  #queue(topic: string, queue: number): StoredRecord[] {
    const found = this.#queues.get(`${topic} ${queue}`);
    if (found === undefined) throw new LogError('LOG_UNKNOWN_TOPIC', topic);
    return found;
  }
}
