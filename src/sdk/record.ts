import type { Schema } from './schema.js';

/** JSON-safe values: what may stand in a source partition or position. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

export interface Header {
  readonly key: string;
  readonly schema: Schema | null;
  readonly value: unknown;
}

/**
 * One record on its way between a system and a topic. Records are values: a transform makes a new one, with
 * `withValue`, `withKey`, `withTopic`, `withTimestamp` or `withHeaders`, and fields of its own do not go through these.
 */
export interface ConnectRecord {
  /** Source: null means the connector's `topic` setting. */
  readonly topic: string | null;
  /** A queue is what Kafka calls a partition. Source: null lets the runtime choose (by key, else in turn). */
  readonly queue: number | null;
  readonly keySchema: Schema | null;
  readonly key: unknown;
  readonly valueSchema: Schema | null;
  readonly value: unknown;
  /** Milliseconds since 1970. Source: null stands for the time of reading, which transforms are given. */
  readonly timestamp: number | null;
  readonly headers: readonly Header[];
}

/**
 * Records that belong together, as they were changed together in the system that they come from.
 * @experimental
 */
export interface RecordTransaction {
  /** Tells it from the others of its source partition: 1 to 200 characters. */
  readonly id: string;
  /**
   * Source: this is its last record. Sink: the last one in this queue; a transaction may have records in several queues, and
   * what a filter or retention took away, or what was too large to be held together, has no end that a sink could see.
   */
  readonly end: boolean;
}

export interface SourceRecord extends ConnectRecord {
  /** What part of the source this came from, for example `{ file: 'a.log' }`. */
  readonly sourcePartition: JsonObject;
  /** Where to go on after this record, opaque to the runtime, for example `{ position: 4096 }`. */
  readonly sourcePosition: JsonObject;
  /**
   * The transaction that it is part of; default null, none. Those of a source partition come one after the other, each whole:
   * it ends with the record that says `end`, or before the next record of the partition that is not part of it. Its records
   * are appended together, and the position of the partition moves from end to end: a task that starts again is to read a
   * transaction from its first record. One larger than `transaction.max.bytes` is appended in parts.
   * @experimental
   */
  readonly transaction?: RecordTransaction | null;
}

export interface SinkRecord extends ConnectRecord {
  readonly topic: string;
  readonly queue: number;
  /** Place in the queue. */
  readonly offset: number;
  /**
   * Where the record stands in the log, whatever transforms made of `topic`: the three name it for as long as its topic
   * lives (`SinkTaskContext.topicId`). What a sink keeps of its progress it keeps by these, as `assignment` and `seek` do.
   */
  readonly originalTopic: string;
  readonly originalQueue: number;
  readonly originalOffset: number;
  /**
   * What stands in the log has no value at all: what had its key is gone. A `value` of null may also be a converter's, of JSON's
   * `null` for example, or a transform's, where this is false; and it stays true where a transform has given the record a value.
   */
  readonly tombstone: boolean;
  /**
   * As its source has marked it; null: not, or nobody knows. Of two sources ids may be the same.
   * @experimental
   */
  readonly transaction: RecordTransaction | null;
}

export const NO_HEADERS: readonly Header[] = Object.freeze([]);

/** All fields in one order, so that the engine sees one shape. */
export function sourceRecord(
  fields: Pick<SourceRecord, 'sourcePartition' | 'sourcePosition' | 'value'> & Partial<SourceRecord>,
): SourceRecord {
  return {
    topic: fields.topic ?? null,
    queue: fields.queue ?? null,
    keySchema: fields.keySchema ?? null,
    key: fields.key ?? null,
    valueSchema: fields.valueSchema ?? null,
    value: fields.value,
    timestamp: fields.timestamp ?? null,
    headers: fields.headers ?? NO_HEADERS,
    sourcePartition: fields.sourcePartition,
    sourcePosition: fields.sourcePosition,
    transaction: fields.transaction ?? null,
  };
}

/** The record with another value. Everything else is kept, also what only source or sink records have. */
export function withValue<R extends ConnectRecord>(record: R, valueSchema: Schema | null, value: unknown): R {
  const { topic, keySchema, key, timestamp, headers } = record;
  return rebuilt(record, topic, keySchema, key, valueSchema, value, timestamp, headers);
}

export function withKey<R extends ConnectRecord>(record: R, keySchema: Schema | null, key: unknown): R {
  const { topic, valueSchema, value, timestamp, headers } = record;
  return rebuilt(record, topic, keySchema, key, valueSchema, value, timestamp, headers);
}

export function withTopic<R extends ConnectRecord>(record: R, topic: string): R {
  const { keySchema, key, valueSchema, value, timestamp, headers } = record;
  return rebuilt(record, topic, keySchema, key, valueSchema, value, timestamp, headers);
}

/** `timestamp`: milliseconds since 1970. */
export function withTimestamp<R extends ConnectRecord>(record: R, timestamp: number): R {
  const { topic, keySchema, key, valueSchema, value, headers } = record;
  return rebuilt(record, topic, keySchema, key, valueSchema, value, timestamp, headers);
}

export function withHeaders<R extends ConnectRecord>(record: R, headers: readonly Header[]): R {
  const { topic, keySchema, key, valueSchema, value, timestamp } = record;
  return rebuilt(record, topic, keySchema, key, valueSchema, value, timestamp, headers);
}

export function isSinkRecord(record: ConnectRecord): record is SinkRecord {
  return 'offset' in record;
}

export function isSourceRecord(record: ConnectRecord): record is SourceRecord {
  return 'sourcePosition' in record;
}

/**
 * Written out, because `{ ...record, value }` applied to its own results makes the engine build a new shape every
 * time, which is ten times slower.
 */
function rebuilt<R extends ConnectRecord>(
  record: R,
  topic: string | null,
  keySchema: Schema | null,
  key: unknown,
  valueSchema: Schema | null,
  value: unknown,
  timestamp: number | null,
  headers: readonly Header[],
): R {
  const { queue } = record;
  let copy: ConnectRecord;
  if (isSourceRecord(record)) {
    const { sourcePartition, sourcePosition, transaction = null } = record;
    const source: SourceRecord = {
      topic,
      queue,
      keySchema,
      key,
      valueSchema,
      value,
      timestamp,
      headers,
      sourcePartition,
      sourcePosition,
      transaction,
    };
    copy = source;
  } else if (isSinkRecord(record)) {
    const { offset, originalTopic, originalQueue, originalOffset, tombstone, transaction } = record;
    const sink: ConnectRecord & Omit<SinkRecord, keyof ConnectRecord> = {
      topic,
      queue,
      keySchema,
      key,
      valueSchema,
      value,
      timestamp,
      headers,
      offset,
      originalTopic,
      originalQueue,
      originalOffset,
      tombstone,
      transaction,
    };
    copy = sink;
  } else {
    copy = { ...record, topic, keySchema, key, valueSchema, value, timestamp, headers };
  }
  // The same fields as before: R is one of the record types above.
  return copy as R;
}
