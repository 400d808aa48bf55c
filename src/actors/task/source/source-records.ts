/** The way of one record of a source: transforms → converters → the open batch. */
import { DataError } from '../../../sdk/errors.js';
import { withTimestamp, type ConnectRecord, type SourceRecord } from '../../../sdk/record.js';
import { failedAt, type Stage } from '../../../plugins/failed-stage.js';
import { checkSerialised } from '../../../plugins/plugin-returns.js';
import { NOT_NOW } from '../record-errors.js';
import { recordBytes } from './open-batches.js';
import type { SourceLoopParts } from './source-parts.js';
import { STOPPED, untilOpen } from './source-pauses.js';

type Added = Promise<typeof STOPPED | undefined> | undefined;

/**
 * One record into the open batch. A promise only where something must be awaited: a new topic, a bad record. No function
 * here holds the variables, which would cost each record an allocation.
 */
export function add(parts: SourceLoopParts, record: SourceRecord, now: number): Added {
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
    if (topic === null) throw noTopic();
    const queues = parts.topics.queues(topic);
    if (queues === null) return addToNewTopic(parts, record, out, topic, now);
    write(parts, record, out, topic, queues, now);
  } else parts.counters.filtered();
  moved(parts, record, out !== null);
  return undefined;
}

function noTopic(): DataError {
  const message = 'the record names no topic and the connector has no "topic" setting';
  return failedAt(new DataError(message, { code: 'BAD_TOPIC' }), { stage: 'KAFKA_PRODUCE' });
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
  const queues = await parts.topics.ensure(topic).catch((error: unknown) => {
    throw failedAt(error, { stage: 'KAFKA_PRODUCE' });
  });
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
  const { sourcePartition: partition, sourcePosition: position, transaction = null } = record;
  const place = { partition, position, ...(transaction !== null && { transaction }) };
  for (;;) {
    const again = async (): Promise<true> => {
      await addNow(parts, record, now);
      return true;
    };
    const done = await errors.recover(failure, gate, again, place, record);
    if (done === null) moved(parts, record, false);
    if (done !== NOT_NOW) return undefined;
    if (signal.aborted) return STOPPED;
    if (!gate.open) await untilOpen(parts);
    if (signal.aborted) return STOPPED;
    // At once: the chain may be another by now.
    try {
      await again();
      return undefined;
    } catch (error) {
      failure = error;
    }
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
  let stage: Stage = 'KEY_CONVERTER';
  try {
    const key =
      record.key === null && record.keySchema === null
        ? null
        : checkSerialised('key', parts.keyConverter.fromConnectData(topic, record.keySchema, record.key));
    stage = 'VALUE_CONVERTER';
    const value = checkSerialised(
      'value',
      parts.valueConverter.fromConnectData(topic, record.valueSchema, record.value),
    );
    stage = 'HEADER_CONVERTER';
    const headers = record.headers.length === 0 ? null : parts.headerConverter(topic, record.headers);
    stage = 'KAFKA_PRODUCE';
    const queue = queues === 1 && record.queue === null ? 0 : parts.topics.route(topic, queues, record, key);
    const mark = parts.marker?.mark(sourcePartition, sourcePosition);
    parts.transactions.add(topic, queue, key, value, record.timestamp ?? now, headers, mark, transaction);
    const { throttle } = parts;
    if (throttle.limits) throttle.took(1, throttle.countsBytes ? recordBytes(key, value, headers) : 0);
  } catch (error) {
    throw failedAt(error, { stage });
  }
}
