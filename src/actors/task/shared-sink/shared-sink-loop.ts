import { retryDelayMs, type Tolerance } from '../../../core/tolerance.js';
import { BatchReader } from '../../../log/batch.js';
import type { Delivery, SharedBatch, SharedConsumer } from '../../../log/shared.js';
import { asRetriable, DataError, RetriableError } from '../../../sdk/errors.js';
import type { SinkTask } from '../../../sdk/plugin.js';
import type { SinkRecord } from '../../../sdk/record.js';
import type { Gate } from '../gate.js';
import type { RawRecord } from '../dead-letters/letter.js';
import type { SinkLetters } from '../dead-letters/sink-letters.js';
import type { PluginCalls } from '../plugin-calls.js';
import type { Signals } from '../signals.js';
import type { Throttled } from '../throttling.js';
import type { Changes } from '../hot-config.js';
import { NOT_NOW, type RecordErrors } from '../record-errors.js';
import type { SinkCounters } from '../task-counters.js';
import { sinkRecord, type SinkConversion } from '../../sink-record.js';

export interface SharedSinkLoopParts {
  readonly task: SinkTask;
  readonly calls: PluginCalls;
  readonly gate: Gate;
  readonly signal: AbortSignal;
  readonly signals: Signals;
  readonly changes: Pick<Changes, 'isDue' | 'take'>;
  readonly consumer: SharedConsumer;
  readonly errors: RecordErrors;
  readonly tolerance: Tolerance;
  readonly conversion: SinkConversion;
  readonly maxRecords: number;
  readonly maxAttempts: number;
  readonly flushIntervalMs: number;
  readonly throttle: Throttled;
  readonly onPaused: (paused: boolean) => void;
  readonly onDelivered: (records: number, topic: string) => void;
  readonly counters: SinkCounters;
  /** Null: there is no dead-letter queue. */
  readonly letters?: Pick<SinkLetters, 'safe'> | null;
  /** So many records were written and will come again all the same. */
  readonly onNotAcked: (records: number) => void;
}

/** Put and not yet acknowledged; then a flush does not wait for its time. */
const MAX_UNFLUSHED = 10_000;
/** From this attempt on a record is put alone, so that one that always fails takes no other to the dead letters. */
const ALONE_FROM = 3;

/** receive → converter → transforms → put → flush → ack, until the signal; then a last flush. What was not put goes back. */
export class SharedSinkLoop {
  readonly #parts: SharedSinkLoopParts;
  #unacked: Delivery[] = [];
  #nextFlushAt = 0;
  #commitRequested = false;
  #flushFailed = false;
  /** Puts that failed since the last one that did not. */
  #failures = 0;

  constructor(parts: SharedSinkLoopParts) {
    this.#parts = parts;
  }

  requestCommit(): void {
    this.#commitRequested = true;
  }

  async run(): Promise<void> {
    const { gate, signal, consumer, signals, task } = this.#parts;
    this.#nextFlushAt = performance.now() + this.#parts.flushIntervalMs;
    try {
      while (!signal.aborted) {
        if (signals.waiting) await signals.serve(task);
        if (gate.open) await this.#turn();
        else await this.#paused();
      }
      await this.#flush();
    } finally {
      await consumer.close();
    }
  }

  async #turn(): Promise<void> {
    const { consumer, maxRecords, signal, errors, throttle } = this.#parts;
    const heldMs = throttle.waitMs;
    const allowed = heldMs === 0 && throttle.limits ? throttle.allowance.records : Infinity;
    const room = Math.min(maxRecords, MAX_UNFLUSHED - this.#unacked.length, allowed);
    const untilFlush = this.#unacked.length > 0 ? this.#nextFlushAt - performance.now() : Infinity;
    // Looks again each second at least: the lease has no alarm.
    const waitMs = Math.max(0, Math.min(1000, untilFlush));
    if (heldMs > 0 && room > 0) await this.#throttled(Math.min(heldMs, waitMs));
    else if (room > 0) {
      const batch = await consumer.receive(room, waitMs, signal);
      if (batch !== null) await this.#deliver(batch);
    } else if (this.#flushFailed) await errors.pause(waitMs);
    const full = this.#unacked.length >= MAX_UNFLUSHED && !this.#flushFailed;
    if (this.#commitRequested || full || performance.now() >= this.#nextFlushAt) await this.#flush();
  }

  /** Nothing is received meanwhile, so that nobody else waits for it. Whether there is something is not known. */
  async #throttled(ms: number): Promise<void> {
    const { gate, throttle } = this.#parts;
    const since = performance.now();
    await gate.changedWithin(ms);
    throttle.waited(performance.now() - since);
  }

  async #paused(): Promise<void> {
    const { gate, signal, consumer, errors, onPaused, signals, task, changes } = this.#parts;
    if (changes.isDue) changes.take();
    if (gate.open || signal.aborted) return;
    if (gate.held) {
      await gate.changed();
      return;
    }
    if (gate.target !== 'RUNNING') await this.#flush();
    errors.recovered('put');
    this.#failures = 0;
    onPaused(true);
    await consumer.suspend();
    while (!gate.open && !signal.aborted) {
      await gate.changed();
      if (signals.waiting) await signals.serve(task);
      if (changes.isDue) changes.take();
    }
    onPaused(false);
  }

  async #deliver(batch: SharedBatch): Promise<void> {
    const aloneFrom = Math.max(2, Math.min(ALONE_FROM, this.#parts.maxAttempts));
    const all = [...batch.deliveries.keys()];
    const isAlone = (index: number): boolean => (batch.deliveries[index]?.attempt ?? 1) >= aloneFrom;
    const reader = BatchReader.open(batch.batch.bytes);
    const together = all.filter((index) => !isAlone(index));
    if (together.length > 0) await this.#deliverSome(batch, reader, together);
    for (const index of all.filter(isAlone)) {
      // What is written before it stays written, whatever it does.
      await this.#flush();
      await this.#deliverSome(batch, reader, [index]);
      await this.#flush();
    }
  }

  async #deliverSome(batch: SharedBatch, reader: BatchReader, indexes: readonly number[]): Promise<void> {
    const { conversion, errors, gate, consumer, onDelivered, counters } = this.#parts;
    const skipped = errors.skipped;
    const { topic, deliveries } = batch;
    const taken: Delivery[] = [];
    const kept: number[] = [];
    const records: SinkRecord[] = [];
    for (const index of indexes) {
      const delivery = deliveries[index];
      if (delivery === undefined) continue;
      const { queue, offset } = delivery;
      const convert = (): SinkRecord | null => sinkRecord(conversion, topic, queue, offset, reader, index);
      let record: SinkRecord | null | typeof NOT_NOW;
      try {
        record = convert();
      } catch (error) {
        const raw = { batch: reader, index };
        record = await errors.recover(error, gate, convert, { topic, queue, offset }, undefined, raw);
      }
      errors.passed(1);
      if (record === NOT_NOW) {
        await consumer.release([delivery], 0);
        continue;
      }
      taken.push(delivery);
      kept.push(index);
      if (record !== null) records.push(record);
    }
    const bad = errors.skipped - skipped;
    if (records.length > 0) {
      const [index = 0] = kept;
      const outcome = await this.#put(records, taken, { batch: reader, index });
      if (outcome === 'each') {
        for (const index of kept) await this.#deliverSome(batch, reader, [index]);
        return;
      }
      if (outcome === 'given back') return;
    }
    this.#took(reader, records.length, kept);
    this.#unacked.push(...taken);
    onDelivered(records.length, topic);
    counters.dealtWith(taken.length, Math.max(0, taken.length - records.length - bad));
  }

  /** Those that were dropped or skipped cost no records; which they were is not known any more, so their bytes count. */
  #took(reader: BatchReader, records: number, indexes: readonly number[]): void {
    const { throttle } = this.#parts;
    if (!throttle.limits) return;
    const bytes = throttle.countsBytes ? indexes.reduce((sum, index) => sum + reader.size(index), 0) : 0;
    throttle.took(records, bytes);
  }

  /** 'each': one of them is bad, and is to be found by putting each alone. Given back they come again, to whomever. */
  async #put(
    records: readonly SinkRecord[],
    deliveries: readonly Delivery[],
    /** The first of them. */
    raw: RawRecord,
  ): Promise<'put' | 'each' | 'given back'> {
    const { task, calls, gate, errors, consumer, tolerance, counters } = this.#parts;
    const since = performance.now();
    const waitMs = tolerance.retryTimeoutMs ?? 0;
    const mayWait = (): boolean => waitMs < 0 || performance.now() - since < waitMs;
    const outcome = await errors.retrying('put', gate, async () => {
      try {
        const began = performance.now();
        await calls.run('put', () => task.put(records));
        counters.put(records.length, began);
        return 'put';
      } catch (error) {
        if (errors.tolerates(error)) return error;
        const retriable = asRetriable(error);
        if (retriable === null || mayWait()) throw error;
        return retriable;
      }
    });
    if (outcome === NOT_NOW) await consumer.release(deliveries, 0);
    if (outcome instanceof RetriableError) await this.#giveBack(deliveries, outcome);
    if (outcome instanceof DataError) {
      const [first, second] = deliveries;
      if (first === undefined || second !== undefined) return 'each';
      const { topic, queue } = records[0] ?? {};
      await errors.badRecord(outcome, { topic: topic ?? '', queue, offset: first.offset }, records[0], raw);
      return 'put';
    }
    if (outcome !== 'put') return 'given back';
    errors.recovered('put');
    this.#failures = 0;
    return 'put';
  }

  /** The task waits as well: the next records would fare no better, and each try is counted. */
  async #giveBack(deliveries: readonly Delivery[], error: RetriableError): Promise<void> {
    const { consumer, errors, gate, tolerance } = this.#parts;
    const attempt = deliveries.reduce((most, delivery) => Math.max(most, delivery.attempt), 1);
    await consumer.release(deliveries, error.retryAfterMs ?? retryDelayMs(tolerance, attempt, Math.random()));
    this.#failures += 1;
    await errors.backoffWhileOpen(gate, 'put', error, this.#failures);
  }

  async #flush(): Promise<void> {
    const { task, calls, errors, gate, consumer, onNotAcked, counters } = this.#parts;
    this.#commitRequested = false;
    this.#flushFailed = false;
    this.#nextFlushAt = performance.now() + this.#parts.flushIntervalMs;
    if (this.#unacked.length === 0 || !gate.leased) return;
    const since = performance.now();
    try {
      await calls.run('flush', () => task.flush());
      counters.flushed(since);
    } catch (error) {
      const retriable = asRetriable(error);
      if (retriable === null) throw error;
      this.#flushFailed = true;
      errors.retriedLater('flush', retriable);
      return;
    }
    errors.recovered('flush');
    // What is acknowledged does not come again.
    await this.#parts.letters?.safe();
    const flushed = this.#unacked;
    this.#unacked = [];
    const notAcked = await consumer.ack(flushed);
    counters.committed();
    if (notAcked > 0) onNotAcked(notAcked);
  }
}
