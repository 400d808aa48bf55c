import type { QueueOffset, QueueRef, SinkTask } from '../../../sdk/plugin.js';
import type { SinkRecord } from '../../../sdk/record.js';
import { asRetriable } from '../../../sdk/errors.js';
import { isNotNow } from '../../../log/log.js';
import type { Gate } from '../gate.js';
import type { PluginCalls } from '../plugin-calls.js';
import { queueKey, type FetchedBatch, type SinkQueue } from './sink-queue.js';
import { NOT_NOW, type RecordErrors } from '../record-errors.js';
import { sinkRecord, type SinkConversion } from './sink-record.js';

export interface SinkLoopParts {
  readonly task: SinkTask;
  readonly calls: PluginCalls;
  readonly gate: Gate;
  readonly signal: AbortSignal;
  readonly readers: readonly SinkQueue[];
  readonly errors: RecordErrors;
  readonly conversion: SinkConversion;
  readonly maxRecords: number;
  readonly flushIntervalMs: number;
  /** Makes these offsets the place to start from, for ever. */
  readonly commit: (offsets: readonly QueueOffset[]) => Promise<void>;
  readonly onPaused: (paused: boolean) => void;
  readonly onDelivered: (records: number) => void;
}

interface Converted {
  readonly records: readonly SinkRecord[];
  /** Of each record, within its batch. */
  readonly indexes: readonly number[];
  /** Index after the last one that was looked at. */
  readonly end: number;
  /** The record at `end` fails the task. */
  readonly failure: { readonly error: unknown } | null;
}

/** read → converter → transforms → put → flush → commit, until the signal; then a last flush and commit. */
export class SinkLoop {
  readonly #parts: SinkLoopParts;
  /** Offset after the last record put, of the queues that moved since the last commit. */
  readonly #moved = new Map<string, QueueOffset>();
  #nextFlushAt = 0;
  #commitRequested = false;
  #turn = 0;
  /** Something came since the loop last looked: then it must not go to sleep. */
  #news = false;
  #wake: (() => void) | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(parts: SinkLoopParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => {
      this.wake();
    });
  }

  /** Data arrived, or something else is to be looked at. */
  wake(): void {
    this.#news = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.wake();
  }

  requestCommit(): void {
    this.#commitRequested = true;
    this.wake();
  }

  seek(offsets: readonly QueueOffset[]): void {
    for (const to of offsets) {
      this.#moved.delete(queueKey(to));
      this.#reader(to)?.seek(to.offset);
    }
    this.wake();
  }

  pause(queues: readonly QueueRef[], paused: boolean): void {
    for (const queue of queues) {
      const reader = this.#reader(queue);
      if (reader !== undefined) reader.paused = paused;
    }
    this.wake();
  }

  async run(): Promise<void> {
    const { gate, signal } = this.#parts;
    this.#nextFlushAt = performance.now() + this.#parts.flushIntervalMs;
    while (!signal.aborted) {
      if (this.#failure !== null) throw this.#failure.error;
      if (!gate.open) {
        if (gate.target !== 'RUNNING') await this.#flush();
        this.#parts.onPaused(true);
        while (!gate.open && !signal.aborted) await gate.changed();
        this.#parts.onPaused(false);
        continue;
      }
      this.#news = false;
      const reader = this.#next();
      if (reader !== null) await this.#deliver(reader.reader, reader.batch);
      if (this.#commitRequested || (this.#moved.size > 0 && performance.now() >= this.#nextFlushAt)) {
        await this.#flush();
      }
      if (reader === null) await this.#idle();
    }
    await this.#flush();
  }

  #reader(at: QueueRef): SinkQueue | undefined {
    return this.#parts.readers.find((reader) => reader.queue === at.queue && reader.topic === at.topic);
  }

  /** The next queue with something to deliver, in turn, so that a busy one does not starve the others. */
  #next(): { readonly reader: SinkQueue; readonly batch: FetchedBatch } | null {
    const { readers } = this.#parts;
    for (let i = 0; i < readers.length; i += 1) {
      this.#turn = (this.#turn + 1) % readers.length;
      const reader = readers[this.#turn];
      if (reader === undefined || reader.paused) continue;
      const batch = reader.peek();
      if (batch !== null) return { reader, batch };
    }
    return null;
  }

  async #deliver(reader: SinkQueue, batch: FetchedBatch): Promise<void> {
    const { maxRecords, onDelivered } = this.#parts;
    const { seeks } = reader;
    const to = Math.min(batch.next + maxRecords, batch.reader.count);
    const { records, indexes, end, failure } = await this.#convert(reader, batch, to);
    const put = await this.#put(reader, seeks, batch.baseOffset, records, indexes);
    // After a seek inside put, also one to its own first record, what was put no longer says where to go on.
    if (reader.seeks !== seeks) return;
    const upTo = put < records.length ? (indexes[put] ?? end) : end;
    if (upTo > batch.next) {
      reader.taken(batch, upTo - batch.next);
      this.#moved.set(queueKey(reader), {
        topic: reader.topic,
        queue: reader.queue,
        offset: reader.position,
      });
      onDelivered(put);
    }
    if (failure === null || put < records.length) return;
    // Else what stands before a bad record would never arrive at a sink that keeps it until the flush.
    await this.#flush();
    throw failure.error;
  }

  /** The records up to `to`, or to the one before that the gate is closed or the task fails. */
  async #convert(reader: SinkQueue, batch: FetchedBatch, to: number): Promise<Converted> {
    const { conversion, errors, gate } = this.#parts;
    const { topic, queue } = reader;
    const records: SinkRecord[] = [];
    const indexes: number[] = [];
    for (let index = batch.next; index < to; index += 1) {
      const offset = batch.baseOffset + index;
      const convert = (): SinkRecord | null =>
        sinkRecord(conversion, topic, queue, offset, batch.reader, index);
      let record: SinkRecord | null | typeof NOT_NOW;
      try {
        record = convert();
      } catch (error) {
        try {
          record = await errors.recover(error, gate, convert, { topic, queue, offset });
        } catch (failed) {
          return { records, indexes, end: index, failure: { error: failed } };
        }
      }
      if (record === NOT_NOW) return { records, indexes, end: index, failure: null };
      if (record === null) continue;
      records.push(record);
      indexes.push(index);
    }
    return { records, indexes, end: to, failure: null };
  }

  /** How many are put, or skipped: fewer where the gate is closed in between. */
  async #put(
    reader: SinkQueue,
    seeks: number,
    baseOffset: number,
    records: readonly SinkRecord[],
    indexes: readonly number[],
  ): Promise<number> {
    const { errors, calls, gate, task } = this.#parts;
    if (records.length === 0) return 0;
    try {
      const done = await errors.retrying('put', gate, async () => {
        // Converting and waiting took time. Where it is not put, the records stay for the next turn.
        if (reader.seeks !== seeks) return false;
        await calls.run('put', () => task.put(records));
        return true;
      });
      return done === true ? records.length : 0;
    } catch (error) {
      if (!errors.tolerates(error)) throw error;
      if (records.length === 1) {
        const { topic, queue } = reader;
        await errors.badRecord(error, { topic, queue, offset: baseOffset + (indexes[0] ?? 0) }, records[0]);
        return 1;
      }
    }
    for (const [i, record] of records.entries()) {
      const index = indexes.slice(i, i + 1);
      if ((await this.#put(reader, seeks, baseOffset, [record], index)) === 0) return i;
    }
    return records.length;
  }

  async #flush(): Promise<void> {
    const { task, calls, errors, commit, gate } = this.#parts;
    this.#commitRequested = false;
    this.#nextFlushAt = performance.now() + this.#parts.flushIntervalMs;
    if (this.#moved.size === 0 || !gate.leased) return;
    const flushed = [...this.#moved.values()];
    try {
      await calls.run('flush', () => task.flush());
    } catch (error) {
      // Nothing is lost by waiting for the next round: the offsets stay where they are.
      const retriable = asRetriable(error);
      if (retriable === null) throw error;
      errors.retriedLater('flush', retriable);
      return;
    }
    const safe =
      task.preCommit === undefined
        ? flushed
        : await calls.run('preCommit', () => task.preCommit?.(flushed) ?? flushed);
    try {
      if (safe.length > 0) await commit(safe);
    } catch (error) {
      // The log is waited for. Whether it has these offsets makes no difference: greater ones follow.
      if (!isNotNow(error)) throw error;
      errors.retriedLater('commit', error);
      return;
    }
    for (const { topic, queue, offset } of flushed) {
      const key = queueKey({ topic, queue });
      const agreed = safe.find((item) => item.topic === topic && item.queue === queue);
      if (agreed !== undefined && agreed.offset >= offset && this.#moved.get(key)?.offset === offset)
        this.#moved.delete(key);
    }
  }

  /** Until data arrives, a flush is due or the signal. Looks again each second at least: the lease has no alarm. */
  async #idle(): Promise<void> {
    if (this.#news) return;
    const untilFlush = this.#moved.size > 0 ? this.#nextFlushAt - performance.now() : Infinity;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, Math.min(1000, untilFlush)));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }
}
