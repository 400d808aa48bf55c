/**
 * The log: the one place where anything durable goes. This is the port; `embedded/` and `rocketmq/` are adapters,
 * held to one conformance suite (test/conformance).
 */

/** The largest batch that may be appended, in bytes. */
export const MAX_BATCH_BYTES = 32 * 1024 * 1024;

/** Records encoded by `BatchBuilder` (batch.ts): what an append carries and a read returns, opaque to the store. */
export interface EncodedBatch {
  /**
   * `append` may transfer it away. When the append is refused (not when its outcome is unknown) it is given back:
   * then another array, with the same content. Where not `capabilities.atomicAppend`, it stays in any case, so that
   * an append of unknown outcome can be repeated.
   */
  bytes: Uint8Array;
  readonly count: number;
}

export interface TopicSettings {
  readonly queues: number;
  /** Records older than this may be deleted; null: kept for ever. */
  readonly retentionMs: number | null;
  /** Oldest records beyond this size, per queue, may be deleted once every group that reads the topic is past them. */
  readonly retentionBytes: number | null;
  /**
   * True: it is not counted where the store is limited in size, so that the node's own bookkeeping goes on while the log
   * is full. It bounds itself, by `trim`. Default false.
   */
  readonly reserve?: boolean;
}

export interface TopicDescription extends TopicSettings {
  readonly name: string;
  /**
   * Of this life of the topic: one that is made anew under the same name, or is in another log, has another. Null where
   * the log cannot tell, as RocketMQ: then none of its topics has one.
   */
  readonly id: string | null;
}

export interface QueueEntry {
  readonly topic: string;
  readonly queue: number;
  readonly batch: EncodedBatch;
  /** Kept beside the records where not `capabilities.atomicAppend`; elsewhere nobody needs them. */
  readonly marks?: RecordMarks;
}

/** By what a writer finds out which of its records are in the log. */
export interface RecordMarks {
  /** Which writer, from 0 to MAX_WRITER_MARK. */
  readonly writer: number;
  /** One for each record, from 0 to MAX_RECORD_MARK; NO_MARK for a record that is not to be found. */
  readonly ids: readonly number[];
}

export const NO_MARK = -1;
export const MAX_WRITER_MARK = 2 ** 18 - 1;
export const MAX_RECORD_MARK = 2 ** 48 - 1;

/**
 * A writer's licence: the append is refused with LogError FENCED when a higher epoch was set for `key`.
 * Only where `capabilities.fencing`.
 */
export interface Fence {
  readonly key: string;
  readonly epoch: number;
}

/** Whether a writer may write: another may do so, and does, some time after it may not. */
export interface Permit {
  /** Asked at the last moment before anything is sent. */
  readonly holds: () => boolean;
  /** Aborted when it is over, with the reason. */
  readonly signal: AbortSignal;
}

export interface AppendRequest {
  /**
   * Appended in one transaction where `capabilities.atomicAppend`: all or nothing. Else in order, each durable before
   * the next is sent, so that an entry never stands there without those before it.
   */
  readonly entries: readonly QueueEntry[];
  readonly fence?: Fence;
  /**
   * For logs that do not refuse a former writer by its fence; of no use where `capabilities.fencing`. Nothing is sent
   * without it, and what is on its way when it ends is cut off as far as possible: then the outcome is unknown.
   */
  readonly permit?: Permit;
}

export interface ReadRequest {
  readonly topic: string;
  readonly queue: number;
  readonly offset: number;
  /** At least one batch is returned, however large, when there is one. */
  readonly maxBytes: number;
  readonly maxRecords: number;
  /** How long to wait for the first record, in milliseconds; 0 answers at once. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  /** Asks for the marks of this writer's records. */
  readonly markedBy?: number;
}

export interface StoredBatch {
  /** Offset of its first record. May lie before the offset asked for: skip `offset - baseOffset` records. */
  readonly baseOffset: number;
  readonly batch: EncodedBatch;
  /** Never left memory since it was built, so its checksum says nothing. */
  readonly fresh?: true;
  /** Where asked for: the mark of each record, NO_MARK for one of another writer. */
  readonly marks?: readonly number[];
}

export interface ReadResult {
  readonly batches: readonly StoredBatch[];
  /** Where to read next. When retention deleted the offset asked for, reading goes on at `startOffset`. */
  readonly nextOffset: number;
  readonly startOffset: number;
  readonly endOffset: number;
}

export interface QueueRange {
  readonly queue: number;
  readonly startOffset: number;
  /** Offset that the next record gets. */
  readonly endOffset: number;
}

export interface GroupOffset {
  readonly topic: string;
  readonly queue: number;
  /** The next offset to read. */
  readonly offset: number;
}

export interface LogCapabilities {
  /** Entries of one append commit together: a source with its positions in the same append is exactly-once. */
  readonly atomicAppend: boolean;
  readonly fencing: boolean;
  /** `trim` frees space at once; else retention does in time. */
  readonly trim: boolean;
  /** The largest record that can be appended: its value, key and headers, in bytes. */
  readonly maxRecordBytes: number;
}

export interface Log {
  readonly capabilities: LogCapabilities;
  /**
   * Creates the topic, or returns what exists (settings of an existing topic are left alone). Retention that somebody
   * else rules over reads as null.
   */
  createTopic(name: string, settings: TopicSettings): Promise<TopicDescription>;
  describeTopic(name: string): Promise<TopicDescription | null>;
  listTopics(): Promise<readonly TopicDescription[]>;
  deleteTopic(name: string): Promise<void>;
  /**
   * Resolves with the base offset of each entry once everything is flushed to stable storage. Takes the batches
   * over: their bytes must not be changed or transferred afterwards (see `EncodedBatch.bytes`).
   *
   * Rejects with LOG_UNAVAILABLE or LOG_IO when the outcome is unknown; any other code says that nothing was
   * appended. Where not `capabilities.atomicAppend`, an unknown outcome may be a part: the first entries, or the first
   * records of an entry, are there and the rest is not; and the records of a large entry may have those of other
   * writers between them, so that only the first has the offset answered.
   */
  append(request: AppendRequest): Promise<readonly number[]>;
  /**
   * A client finds what it has appended itself; what another has appended may take a moment to be seen. The batches
   * returned are the caller's own. Aborting its signal rejects with the signal's reason.
   */
  read(request: ReadRequest): Promise<ReadResult>;
  ranges(topic: string): Promise<readonly QueueRange[]>;
  /** Deletes records before `offset`. A no-op where `capabilities.trim` is false. */
  trim(topic: string, queue: number, offset: number): Promise<void>;
  /** Raises the epoch of a fence key; resolves once durable. A lower epoch than the present one is refused (FENCED). */
  fence(fence: Fence): Promise<void>;
  /**
   * Says which topics the group reads, from now on these alone, whether they exist or not. Retention by size waits for
   * it there, from the first record on, and no longer for what it has committed elsewhere. A no-op where
   * `capabilities.trim` is false: there nothing waits for groups.
   */
  subscribe(group: string, topics: readonly string[]): Promise<void>;
  commitOffsets(group: string, offsets: readonly GroupOffset[]): Promise<void>;
  committedOffsets(group: string): Promise<readonly GroupOffset[]>;
  /** Those that have committed offsets or subscribed, and perhaps others. */
  listGroups(): Promise<readonly string[]>;
  deleteGroup(group: string): Promise<void>;
  close(): Promise<void>;
}

export const LOG_ERROR_CODES = [
  'LOG_UNKNOWN_TOPIC',
  'LOG_UNKNOWN_QUEUE',
  'LOG_BAD_REQUEST',
  'LOG_FENCED',
  /** The disk, or the configured size of the store, is full. Retriable: nothing was appended. */
  'LOG_FULL',
  'LOG_CORRUPT',
  /** The disk failed. Retriable; whether an append was done is unknown. */
  'LOG_IO',
  /** Too much waits to be written already. Retriable: nothing was appended. */
  'LOG_BUSY',
  /** The thread or server that owns the log is away or busy. Retriable; whether an append was done is unknown. */
  'LOG_UNAVAILABLE',
  'LOG_CLOSED',
] as const;

export type LogErrorCode = (typeof LOG_ERROR_CODES)[number];

const NOT_NOW: ReadonlySet<string | null> = new Set<LogErrorCode>([
  'LOG_FULL',
  'LOG_BUSY',
  'LOG_UNAVAILABLE',
]);

/** The log is full, busy or away: what it does not do now it may do later. */
export function isNotNow(error: unknown): error is LogError {
  return error instanceof LogError && NOT_NOW.has(error.code);
}

export function isNotNowCode(code: string | null): boolean {
  return NOT_NOW.has(code);
}

/** Every failure of a log. The message says what to do. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;
  readonly retriable: boolean;
  constructor(code: LogErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.retriable = code === 'LOG_IO' || NOT_NOW.has(code);
  }
}
