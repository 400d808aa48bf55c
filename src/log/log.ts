/**
 * The log: the one place where anything durable goes. This is the port; `embedded/` (and later `rocketmq/`) are
 * adapters, held to one conformance suite (test/conformance/log).
 */

/** The largest batch that may be appended, in bytes. */
export const MAX_BATCH_BYTES = 32 * 1024 * 1024;

/** Records encoded by `BatchBuilder` (batch.ts): what an append carries and a read returns, opaque to the store. */
export interface EncodedBatch {
  /**
   * `append` may transfer it away. When the append is refused (not when its outcome is unknown) it is given back:
   * then another array, with the same content.
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
   * True: its appends may use the last tenth of a store that is limited in size, so that the node's own bookkeeping
   * goes on while the log is full. Default false.
   */
  readonly reserve?: boolean;
}

export interface TopicDescription extends TopicSettings {
  readonly name: string;
}

export interface QueueEntry {
  readonly topic: string;
  readonly queue: number;
  readonly batch: EncodedBatch;
}

/**
 * A writer's licence: the append is refused with LogError FENCED when a higher epoch was set for `key`.
 * Only where `capabilities.fencing`.
 */
export interface Fence {
  readonly key: string;
  readonly epoch: number;
}

export interface AppendRequest {
  /** Appended in order, in one transaction where `capabilities.atomicAppend`: all or nothing. */
  readonly entries: readonly QueueEntry[];
  readonly fence?: Fence;
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
}

export interface StoredBatch {
  /** Offset of its first record. May lie before the offset asked for: skip `offset - baseOffset` records. */
  readonly baseOffset: number;
  readonly batch: EncodedBatch;
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
}

export interface Log {
  readonly capabilities: LogCapabilities;
  /** Creates the topic, or returns what exists (settings of an existing topic are left alone). */
  createTopic(name: string, settings: TopicSettings): Promise<TopicDescription>;
  describeTopic(name: string): Promise<TopicDescription | null>;
  listTopics(): Promise<readonly TopicDescription[]>;
  deleteTopic(name: string): Promise<void>;
  /**
   * Resolves with the base offset of each entry once everything is flushed to stable storage. Takes the batches
   * over: their bytes must not be changed or transferred afterwards (see `EncodedBatch.bytes`).
   */
  append(request: AppendRequest): Promise<readonly number[]>;
  /** The batches returned are the caller's own. Aborting its signal rejects with the signal's reason. */
  read(request: ReadRequest): Promise<ReadResult>;
  ranges(topic: string): Promise<readonly QueueRange[]>;
  /** Deletes records before `offset`. A no-op where `capabilities.trim` is false. */
  trim(topic: string, queue: number, offset: number): Promise<void>;
  /** Raises the epoch of a fence key; resolves once durable. A lower epoch than the present one is refused (FENCED). */
  fence(fence: Fence): Promise<void>;
  commitOffsets(group: string, offsets: readonly GroupOffset[]): Promise<void>;
  committedOffsets(group: string): Promise<readonly GroupOffset[]>;
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
  /** The thread or server that owns the log is away or busy. Retriable; whether an append was done is unknown. */
  'LOG_UNAVAILABLE',
  'LOG_CLOSED',
] as const;

export type LogErrorCode = (typeof LOG_ERROR_CODES)[number];

/** Every failure of a log. The message says what to do. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly code: LogErrorCode;
  readonly retriable: boolean;
  constructor(code: LogErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.retriable = code === 'LOG_FULL' || code === 'LOG_UNAVAILABLE' || code === 'LOG_IO';
  }
}
