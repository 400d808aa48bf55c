import type { QueueOffset, QueueRef } from '../../../sdk/plugin.js';
import type { SinkRecord } from '../../../sdk/record.js';
import { checkOffset } from '../../../log/checks.js';
import { untilWholeSecondMs } from '../../kernel/whole-seconds.js';
import type { Changes } from '../hot-config.js';
import { NOT_NOW } from '../record-errors.js';
import { SinkCommits, type SinkCommitsParts } from './sink-commits.js';
import type { Signals } from '../signals.js';
import type { Throttled } from '../throttling.js';
import type { FetchedBatch, QueueListener, SinkQueue } from './sink-queue.js';
import type { SinkQueues } from './sink-queues.js';
import type { Resting } from './sink-resting.js';
import { sinkRecord, type SinkConversion } from '../../sink-record.js';
import { allowedTo, took } from './sink-throttle.js';

export interface SinkLoopParts extends SinkCommitsParts {
  readonly signal: AbortSignal;
  readonly signals: Signals;
  readonly changes: Pick<Changes, 'isDue' | 'take'>;
  readonly queues: SinkQueues;
  /** What comes between two deliveries, when records may move. */
  readonly queueChanges: {
    readonly areDue: boolean;
    readonly apply: () => Promise<void>;
    /** After the last commit. */
    readonly end: () => Promise<void>;
  };
  /** A queue cannot be read. Answers whether it is only held now: then somebody looks after it. */
  readonly onUnreadable: (error: unknown, queue: SinkQueue) => boolean;
  readonly conversion: SinkConversion;
  readonly maxRecords: number;
  /** Null: it keeps its thread. */
  readonly resting: Resting | null;
  readonly throttle: Throttled;
  readonly onPaused: (paused: boolean) => void;
  readonly onDelivered: (records: number, topic: string) => void;
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

interface Put {
  readonly put: number;
  /** The one after these is bad, and fails the task. */
  readonly refused: { readonly error: unknown } | null;
}

const NOTHING_PUT: Put = { put: 0, refused: null };

/** read → converter → transforms → put → flush → commit, until the signal; then a last flush and commit. */
export class SinkLoop implements QueueListener {
  readonly #parts: SinkLoopParts;
  readonly #commits: SinkCommits;
  #idleSince = performance.now();
  /** Something came since the loop last looked: then it must not go to sleep. */
  #news = false;
  #wake: (() => void) | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(parts: SinkLoopParts) {
    this.#parts = parts;
    this.#commits = new SinkCommits(parts, (key) => parts.queues.of(key));
    parts.signal.addEventListener('abort', () => {
      this.wake();
    });
    parts.signals.onArrival(() => {
      this.wake();
    });
  }

  /** Data arrived, or something else is to be looked at. */
  wake(): void {
    this.#news = true;
    this.#wake?.();
  }

  /** `queue`: the one that cannot be read. */
  fail(error: unknown, queue: SinkQueue | null = null): void {
    if (queue !== null && this.#parts.onUnreadable(error, queue)) queue.held = true;
    else this.#failure ??= { error };
    this.wake();
  }

  /** Whether nothing that was put is left to be flushed and committed. */
  flush(): Promise<boolean> {
    return this.#commits.flush();
  }

  /** Nothing is delivered or committed of these any more. */
  forget(queues: readonly SinkQueue[]): void {
    this.#parts.queues.remove(queues);
    this.#commits.forget(queues);
  }

  requestCommit(): void {
    this.#commits.request();
    this.wake();
  }

  /** LogError LOG_BAD_REQUEST. */
  seek(offsets: readonly QueueOffset[]): void {
    for (const { offset } of offsets) checkOffset(offset);
    for (const { topic, queue, offset } of offsets) this.#commits.seek({ topic, queue, offset });
    this.wake();
  }

  /** Where the sink asked to go on, as far as it was not delivered from there yet. */
  get sought(): readonly QueueOffset[] {
    return this.#commits.sought;
  }

  pause(queues: readonly QueueRef[], paused: boolean): void {
    this.#parts.queues.pause(queues, paused);
    this.wake();
  }

  async run(): Promise<void> {
    try {
      await this.#run();
    } catch (error) {
      // What it asked for before it failed holds for its next start. That may fail as well, and is not why it ends.
      await this.#commits.rewind().catch(() => undefined);
      throw error;
    }
  }

  async #run(): Promise<void> {
    const { gate, signal, signals, task, queues, queueChanges, throttle } = this.#parts;
    while (!signal.aborted) {
      if (this.#failure !== null) throw this.#failure.error;
      if (signals.waiting) await signals.serve(task);
      await this.#commits.rewind();
      if (!gate.open) {
        await this.#untilOpen();
        continue;
      }
      this.#news = false;
      if (queueChanges.areDue) {
        await queueChanges.apply();
        // It may have been told to read elsewhere.
        continue;
      }
      const next = queues.next((queue) => !this.#commits.isSought(queue));
      const heldMs = next === null ? 0 : throttle.waitMs;
      if (next !== null && heldMs === 0) await this.#deliver(next.queue, next.batch);
      if (this.#commits.isWanted) await this.#commits.flush();
      if (next !== null || !this.#isSettled) this.#idleSince = performance.now();
      if (heldMs > 0) await this.#throttled(heldMs);
      else if (next === null && !(await this.#rest())) await this.#idle();
    }
    await this.#commits.rewind();
    if (await this.#commits.flush()) await queueChanges.end();
  }

  /** A pause, a lease that is lost, or a config that has changed: nothing that was read is in hand. */
  async #untilOpen(): Promise<void> {
    const { gate, signal, signals, task, changes, onPaused } = this.#parts;
    if (gate.target !== 'RUNNING') await this.#commits.flush();
    let isPaused = false;
    for (;;) {
      if (changes.isDue) changes.take();
      if (gate.open || signal.aborted) break;
      if (!isPaused && !gate.held) onPaused((isPaused = true));
      await gate.changed();
      if (signals.waiting) await signals.serve(task);
      // What did not pass at the pause.
      if (gate.target !== 'RUNNING' && this.#commits.isDue) await this.#commits.flush();
    }
    if (isPaused) onPaused(false);
  }

  async #deliver(reader: SinkQueue, batch: FetchedBatch): Promise<void> {
    const { maxRecords, onDelivered, errors, counters, throttle } = this.#parts;
    const { seeks } = reader;
    const to = Math.min(batch.next + maxRecords, batch.reader.count, allowedTo(throttle, batch));
    const skipped = errors.skipped;
    const { records, indexes, end, failure } = await this.#convert(reader, batch, to);
    const bad = errors.skipped - skipped;
    const { put, refused } = await this.#put(reader, seeks, batch, records, indexes);
    took(throttle, batch, indexes, put);
    // After a seek inside put, also one to its own first record, what was put no longer says where to go on.
    if (reader.seeks !== seeks) return;
    const upTo = put < records.length ? (indexes[put] ?? end) : end;
    const done = upTo - batch.next;
    if (done > 0) {
      errors.passed(done);
      reader.taken(batch, done);
      counters.dealtWith(done, Math.max(0, done - put - bad));
      this.#commits.moved(reader);
      onDelivered(put, reader.topic);
    }
    const fails = refused ?? (put < records.length ? null : failure);
    if (fails === null) return;
    // Else what stands before a bad record would never arrive at a sink that keeps it until the flush.
    await this.#commits.flush();
    throw fails.error;
  }

  /** The records up to `to`, or to the one before that the gate is closed or the task fails. */
  async #convert(reader: SinkQueue, batch: FetchedBatch, to: number): Promise<Converted> {
    const { conversion, errors } = this.#parts;
    const { topic, queue } = reader;
    errors.delivering({ topic, queue, offset: batch.baseOffset + batch.next });
    const records: SinkRecord[] = [];
    const indexes: number[] = [];
    for (let index = batch.next; index < to; index += 1) {
      const offset = batch.baseOffset + index;
      let record: SinkRecord | null | typeof NOT_NOW;
      try {
        record = sinkRecord(conversion, topic, queue, offset, batch.reader, index);
      } catch (error) {
        try {
          record = await this.#convertAgain(error, reader, batch, index);
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

  /** Not within the loop: a function that holds its variables would cost each record an allocation. */
  #convertAgain(
    error: unknown,
    { topic, queue }: SinkQueue,
    batch: FetchedBatch,
    index: number,
  ): Promise<SinkRecord | null | typeof NOT_NOW> {
    const { conversion, errors, gate } = this.#parts;
    const offset = batch.baseOffset + index;
    const convert = (): SinkRecord | null =>
      sinkRecord(conversion, topic, queue, offset, batch.reader, index);
    const raw = { batch: batch.reader, index };
    return errors.recover(error, gate, convert, { topic, queue, offset }, undefined, raw);
  }

  /** How many are put, or skipped: fewer where the gate is closed in between, or a bad one is one too many. */
  async #put(
    reader: SinkQueue,
    seeks: number,
    batch: FetchedBatch,
    records: readonly SinkRecord[],
    indexes: readonly number[],
  ): Promise<Put> {
    const { errors, calls, gate, task, counters, signals } = this.#parts;
    if (records.length === 0) return NOTHING_PUT;
    try {
      const done = await errors.retrying('put', gate, async () => {
        if (signals.waiting) await signals.serve(task);
        // Converting and waiting took time. Where it is not put, the records stay for the next turn.
        if (reader.seeks !== seeks) return false;
        const since = performance.now();
        await calls.run('put', () => task.put(records));
        counters.put(records.length, since);
        return true;
      });
      return done === true ? { put: records.length, refused: null } : NOTHING_PUT;
    } catch (error) {
      if (!errors.tolerates(error)) throw error;
      if (records.length === 1) {
        const { topic, queue } = reader;
        const raw = { batch: batch.reader, index: indexes[0] ?? 0 };
        const place = { topic, queue, offset: batch.baseOffset + raw.index };
        try {
          await errors.badRecord(error, place, records[0], raw);
        } catch (refusal) {
          return { put: 0, refused: { error: refusal } };
        }
        return { put: 1, refused: null };
      }
    }
    for (const [i, record] of records.entries()) {
      const index = indexes.slice(i, i + 1);
      const { put, refused } = await this.#put(reader, seeks, batch, [record], index);
      if (put === 0) return { put: i, refused };
    }
    return { put: records.length, refused: null };
  }

  /** Nothing would be lost by a stop, and nothing but a record starts anything. */
  get #isSettled(): boolean {
    const { gate, queues, queueChanges, signals } = this.#parts;
    return (
      gate.open &&
      !signals.waiting &&
      this.#failure === null &&
      this.#commits.isSettled &&
      !queueChanges.areDue &&
      !queues.all.some(({ paused, held }) => paused || held)
    );
  }

  get #untilRestMs(): number {
    const { resting } = this.#parts;
    return resting === null ? Infinity : this.#idleSince + resting.afterMs - performance.now();
  }

  /** True: it rests, and the signal ends the loop. A plugin that does not agree is asked again after as long. */
  async #rest(): Promise<boolean> {
    const { resting, calls, task, queues } = this.#parts;
    if (resting === null || this.#untilRestMs > 0) return false;
    this.#idleSince = performance.now();
    const agreed = await calls.run('mayPassivate', () => task.mayPassivate?.() ?? true);
    if (!agreed || !this.#isSettled || queues.next(() => true) !== null) return false;
    return resting.begin(
      queues.all.map(({ topic, queue, nextRead }) => ({ topic, queue, offset: nextRead })),
    );
  }

  /** Until more may be delivered, or something else is to be done. */
  async #throttled(heldMs: number): Promise<void> {
    const since = performance.now();
    await this.#idle(heldMs);
    this.#parts.throttle.waited(performance.now() - since);
  }

  /** Until data arrives, a flush is due or the signal. Looks again each second at least: the lease has no alarm. */
  async #idle(mostMs = this.#untilRestMs): Promise<void> {
    if (this.#news) return;
    await new Promise<void>((resolve) => {
      const waitMs = Math.min(untilWholeSecondMs(), this.#commits.untilDueMs, mostMs);
      const timer = setTimeout(resolve, Math.max(0, waitMs));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }
}
