import type { QueueOffset, QueueRef, SinkTask } from '../../../sdk/plugin.js';
import type { SinkRecord } from '../../../sdk/record.js';
import { asRetriable } from '../../../sdk/errors.js';
import { isNotNow } from '../../../log/log.js';
import type { Gate } from '../gate.js';
import type { PluginCalls } from '../plugin-calls.js';
import { queueKey, type FetchedBatch, type SinkQueue } from './sink-queue.js';
import type { RecordErrors } from '../record-errors.js';
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

/** read → converter → transforms → put → flush → commit, until the signal; then a last flush and commit. */
export class SinkLoop {
  readonly #parts: SinkLoopParts;
  /** Offset after the last record put, of the queues that moved since the last commit. */
  readonly #put = new Map<string, QueueOffset>();
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
      this.#put.delete(queueKey(to));
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
      if (this.#commitRequested || (this.#put.size > 0 && performance.now() >= this.#nextFlushAt)) {
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
    const { maxRecords, conversion, errors, calls, gate, task } = this.#parts;
    const { seeks } = reader;
    const end = Math.min(batch.reader.count, batch.next + maxRecords);
    const records: SinkRecord[] = [];
    for (let index = batch.next; index < end; index += 1) {
      try {
        const { topic, queue } = reader;
        const record = sinkRecord(conversion, topic, queue, batch.baseOffset + index, batch.reader, index);
        if (record !== null) records.push(record);
      } catch (error) {
        await errors.badRecord(error, {
          topic: reader.topic,
          queue: reader.queue,
          offset: batch.baseOffset + index,
        });
      }
    }
    if (records.length > 0) {
      const done = await errors.retrying('put', gate, async () => {
        // Converting and waiting took time. Where it is not put, the records stay for the next turn.
        if (reader.seeks !== seeks) return false;
        await calls.run('put', () => task.put(records));
        return true;
      });
      if (done !== true) return;
    }
    // After a seek inside put, also one to its own first record, what was put no longer says where to go on.
    if (reader.seeks !== seeks) return;
    reader.taken(batch, end - batch.next);
    this.#put.set(queueKey(reader), { topic: reader.topic, queue: reader.queue, offset: reader.position });
    this.#parts.onDelivered(records.length);
  }

  async #flush(): Promise<void> {
    const { task, calls, errors, commit, gate } = this.#parts;
    this.#commitRequested = false;
    this.#nextFlushAt = performance.now() + this.#parts.flushIntervalMs;
    if (this.#put.size === 0 || !gate.leased) return;
    const flushed = [...this.#put.values()];
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
      if (agreed !== undefined && agreed.offset >= offset && this.#put.get(key)?.offset === offset)
        this.#put.delete(key);
    }
  }

  /** Until data arrives, a flush is due or the signal. Looks again each second at least: the lease has no alarm. */
  async #idle(): Promise<void> {
    if (this.#news) return;
    const untilFlush = this.#put.size > 0 ? this.#nextFlushAt - performance.now() : Infinity;
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
