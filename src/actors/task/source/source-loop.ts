import { setImmediate as nextTurn } from 'node:timers/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PositionWord } from '../../../core/model.js';
import type { RecordMarker } from '../../../core/progress/record-marks.js';
import { DataError } from '../../../sdk/errors.js';
import type { ConverterInstance, SourceTask } from '../../../sdk/plugin.js';
import { withTimestamp, type ConnectRecord, type SourceRecord } from '../../../sdk/record.js';
import type { ActorLogger } from '../../kernel/protocol.js';
import { checkSerialised, type PolledRecords } from '../../../plugins/plugin-returns.js';
import type { Gate } from '../gate.js';
import type { EncodeHeaders } from '../headers.js';
import type { Signals } from '../signals.js';
import type { PluginCalls } from '../plugin-calls.js';
import { NOT_NOW, type RecordErrors } from '../record-errors.js';
import type { SourceCounters } from '../task-counters.js';
import { AFTER_BAD_RECORD, BadPolls } from './bad-polls.js';
import type { PartitionBound } from './partition-bound.js';
import type { SourceRest } from './source-rest.js';
import type { SourceTransactions } from './source-transactions.js';
import { recordBytes } from './open-batches.js';
import type { SourceWriter } from './source-writer.js';
import type { Throttled } from '../throttling.js';
import type { Topics } from '../topics.js';

export interface SourceLoopParts {
  readonly task: SourceTask;
  readonly polled: PolledRecords;
  readonly calls: PluginCalls;
  readonly gate: Gate;
  readonly signal: AbortSignal;
  readonly signals: Signals;
  readonly writer: SourceWriter;
  readonly transactions: SourceTransactions;
  readonly topics: Pick<Topics, 'queues' | 'ensure' | 'route'>;
  readonly errors: RecordErrors;
  readonly transform: ((record: SourceRecord) => SourceRecord | null) | null;
  readonly keyConverter: ConverterInstance;
  readonly valueConverter: ConverterInstance;
  readonly headerConverter: EncodeHeaders;
  /** Where a record goes that names no topic. */
  readonly topic: string | null;
  /** Where records are found by marks: exact-append.ts. */
  readonly marker: RecordMarker | null;
  readonly onPaused: (paused: boolean) => void;
  readonly log: Pick<ActorLogger, 'warn'>;
  /** What was polled before a failure has this long to become durable. */
  readonly settleTimeoutMs: number;
  /** Positions that the plugin has said and no record has, and partitions that it has retired; emptied as they are taken. */
  readonly begun: PositionWord[];
  /** Of the connector's source partitions. */
  readonly bound: Pick<PartitionBound, 'check'>;
  readonly counters: Pick<SourceCounters, 'polled' | 'filtered' | 'publish'>;
  readonly rest: Pick<SourceRest, 'take' | 'untilCalled'>;
  readonly throttle: Throttled;
}

/** A source may begin thousands of partitions at once; so many go into one append. */
const BEGUN_AT_ONCE = 1000;

/** So long the loop may go on without a turn of the event loop: with a plugin that awaits nothing there would be none. */
const TURN_MS = 50;

/** So often a source that waits for its throttle is told what has become durable. */
const THROTTLED_TURN_MS = 500;

/** A plugin that answers "nothing" at once would be asked again at once; this is the pause in between. */
const IDLE_PAUSE_MS = 10;

/** poll → transforms → converter → append, until the signal or an error; then everything polled is made durable. */
export async function runSource(parts: SourceLoopParts): Promise<void> {
  try {
    await pollOn(parts);
  } catch (error) {
    // Else the records before a bad one would never arrive: each new start fails at it before they are appended.
    await settleInTime(parts, error);
    parts.transactions.close();
    throw error;
  }
  await settle(parts);
  parts.transactions.close();
}

async function pollOn(parts: SourceLoopParts): Promise<void> {
  const { gate, signal, writer, errors, transactions, throttle } = parts;
  const bad = new BadPolls(errors, transactions);
  await settle(parts);
  let turned = performance.now();
  while (!signal.aborted) {
    if (performance.now() - turned >= TURN_MS) {
      await nextTurn();
      turned = performance.now();
    }
    if (parts.signals.waiting) await parts.signals.serve(parts.task);
    if (!gate.open) {
      await untilOpen(parts);
      continue;
    }
    const started = performance.now();
    const records = await errors.retrying('poll', gate, () => poll(parts, bad));
    if (records === NOT_NOW) continue;
    parts.counters.polled(records.length);
    if (records === AFTER_BAD_RECORD) errors.passed(1);
    await parts.bound.check();
    if (parts.begun.length > 0) await begin(parts);
    const now = Date.now();
    for (const record of records) {
      if (writer.full) await writer.room();
      if (throttle.limits && throttle.waitMs > 0 && (await throttled(parts)) === STOPPED) return;
      if (!transactions.enter(record)) continue;
      errors.passed(1);
      const added = add(parts, record, now);
      if (added !== undefined && (await added) === STOPPED) return;
    }
    parts.counters.publish();
    writer.pump();
    await commit(parts);
    transactions.look();
    const until = parts.rest.take();
    if (until !== undefined && records.length === 0) {
      await settle(parts);
      await parts.rest.untilCalled(until);
      continue;
    }
    if (records.length === 0 && records !== AFTER_BAD_RECORD && performance.now() - started < IDLE_PAUSE_MS) {
      await errors.pause(IDLE_PAUSE_MS);
    }
  }
}

async function poll(
  { calls, task, polled, signals }: SourceLoopParts,
  bad: BadPolls,
): Promise<readonly SourceRecord[]> {
  // A poll that fails is made again and again.
  if (signals.waiting) await signals.serve(task);
  try {
    const records = polled.check(await calls.run('poll', () => task.poll()));
    if (records.length > 0) bad.passed();
    return records;
  } catch (error) {
    return bad.skip(error);
  }
}

/** Before the records that were polled with them: of a partition, the last position counts. */
async function begin({ begun, writer, transactions }: SourceLoopParts): Promise<void> {
  for (const [at, { partition, position }] of begun.splice(0).entries()) {
    if (at > 0 && at % BEGUN_AT_ONCE === 0) await writer.drain();
    transactions.said(partition, position);
  }
}

/** A pause, or a lease that is lost: what was polled becomes durable first. */
async function untilOpen(parts: SourceLoopParts): Promise<void> {
  const { gate, signal, onPaused } = parts;
  await settle(parts);
  onPaused(true);
  while (!gate.open && !signal.aborted) {
    await gate.changed();
    if (parts.signals.waiting) await parts.signals.serve(parts.task);
  }
  onPaused(false);
}

/**
 * Until the next record may go on. What came before it becomes durable meanwhile, and the source is told so; what was polled with it
 * waits here, and is as much as one poll returns. STOPPED: it is not taken, and comes again.
 */
async function throttled(parts: SourceLoopParts): Promise<typeof STOPPED | undefined> {
  const { gate, signal, signals, throttle, writer } = parts;
  parts.counters.publish();
  for (;;) {
    if (signal.aborted) return STOPPED;
    if (!gate.open) await untilOpen(parts);
    const { waitMs } = throttle;
    if (waitMs === 0) return undefined;
    const since = performance.now();
    writer.pump();
    await gate.changedWithin(Math.min(waitMs, THROTTLED_TURN_MS));
    throttle.waited(performance.now() - since);
    await commit(parts);
    if (signals.waiting) await signals.serve(parts.task);
  }
}

/** Also what a poll has said before it ended by an error, as that of a wait that the stop has ended. */
async function settle(parts: SourceLoopParts): Promise<void> {
  parts.counters.publish();
  await begin(parts);
  await parts.writer.drain();
  await commit(parts);
}

/** What ended the loop stays the cause, whatever comes of this. */
async function settleInTime(parts: SourceLoopParts, failure: unknown): Promise<void> {
  const done = new AbortController();
  const late = async (): Promise<void> => {
    await sleep(parts.settleTimeoutMs, undefined, { signal: done.signal });
    throw new Error(`it took more than ${parts.settleTimeoutMs} ms`);
  };
  try {
    await Promise.race([settle(parts), late()]);
  } catch (error) {
    // An append failed, and nothing else.
    if (error === failure) return;
    const cause = error instanceof Error ? error.message : String(error);
    parts.log.warn({ cause }, 'what was polled before the failure is not durable: it will be polled again');
  } finally {
    done.abort();
  }
}

async function commit({ task, calls, writer }: SourceLoopParts): Promise<void> {
  const positions = writer.takeDurable();
  const records = writer.takeCommitted();
  if (records.length > 0) await calls.run('commitRecords', () => task.commitRecords?.(records));
  if (positions.length === 0 || task.commit === undefined) return;
  await calls.run('commit', () => task.commit?.(positions));
}

/** The task is told to stop while a record waits for its transforms: nothing after it may be taken. */
const STOPPED = Symbol('stopped');

type Added = Promise<typeof STOPPED | undefined> | undefined;

/**
 * One record into the open batch. A promise only where something must be awaited: a new topic, a bad record. No function
 * here holds the variables, which would cost each record an allocation.
 */
function add(parts: SourceLoopParts, record: SourceRecord, now: number): Added {
  try {
    const adding = addNow(parts, record, now);
    return adding === undefined ? undefined : added(parts, record, now, adding);
  } catch (error) {
    return recover(parts, record, now, error);
  }
}

function added(parts: SourceLoopParts, record: SourceRecord, now: number, adding: Promise<undefined>): Added {
  return adding.catch((error: unknown) => recover(parts, record, now, error));
}

function addNow(parts: SourceLoopParts, record: SourceRecord, now: number): Promise<undefined> | undefined {
  const out = parts.transform === null ? record : parts.transform(readAt(record, now));
  if (out !== null) {
    const topic = out.topic ?? parts.topic;
    if (topic === null)
      throw new DataError('the record names no topic and the connector has no "topic" setting', {
        code: 'BAD_TOPIC',
      });
    const queues = parts.topics.queues(topic);
    if (queues === null) return addToNewTopic(parts, record, out, topic, now);
    write(parts, record, out, topic, queues, now);
  } else parts.counters.filtered();
  moved(parts, record, out !== null);
  return undefined;
}

/** What it says of its partition, after it was added or left out. */
function moved(
  { task, writer, transactions }: SourceLoopParts,
  record: SourceRecord,
  isAdded: boolean,
): void {
  // What is part of a transaction is told of by the position at its end: it may come again until then.
  if (task.commitRecords !== undefined && (record.transaction ?? null) === null)
    writer.noted(record, isAdded);
  transactions.passed(record);
}

/** With a time, as transforms are to see it: that of reading where the source says none. */
function readAt(record: SourceRecord, now: number): SourceRecord {
  return record.timestamp === null ? withTimestamp(record, now) : record;
}

async function addToNewTopic(
  parts: SourceLoopParts,
  record: SourceRecord,
  out: ConnectRecord,
  topic: string,
  now: number,
): Promise<undefined> {
  const queues = await parts.topics.ensure(topic);
  write(parts, record, out, topic, queues, now);
  moved(parts, record, true);
  return undefined;
}

/**
 * A record that could not be transformed or converted: again where that may pass, also after a pause; else skipped
 * when that is tolerated; else the task fails.
 */
async function recover(
  parts: SourceLoopParts,
  record: SourceRecord,
  now: number,
  failure: unknown,
): Promise<typeof STOPPED | undefined> {
  const { errors, gate, signal } = parts;
  const { sourcePartition: partition, sourcePosition: position } = record;
  for (;;) {
    const again = async (): Promise<true> => {
      await addNow(parts, record, now);
      return true;
    };
    const done = await errors.recover(failure, gate, again, { partition, position }, record);
    if (done === null) moved(parts, record, false);
    if (done !== NOT_NOW) return undefined;
    if (signal.aborted) return STOPPED;
    if (!gate.open) await untilOpen(parts);
  }
}

function write(
  parts: SourceLoopParts,
  { sourcePartition, sourcePosition, transaction = null }: SourceRecord,
  record: ConnectRecord,
  topic: string,
  queues: number,
  now: number,
): void {
  const key =
    record.key === null && record.keySchema === null
      ? null
      : checkSerialised('key', parts.keyConverter.fromConnectData(topic, record.keySchema, record.key));
  const value = checkSerialised(
    'value',
    parts.valueConverter.fromConnectData(topic, record.valueSchema, record.value),
  );
  const queue = queues === 1 ? 0 : parts.topics.route(topic, queues, record.queue, key);
  const headers = record.headers.length === 0 ? null : parts.headerConverter(topic, record.headers);
  parts.transactions.add(
    topic,
    queue,
    key,
    value,
    record.timestamp ?? now,
    headers,
    parts.marker?.mark(sourcePartition, sourcePosition),
    transaction,
  );
  const { throttle } = parts;
  if (throttle.limits) throttle.took(1, throttle.countsBytes ? recordBytes(key, value, headers) : 0);
}
