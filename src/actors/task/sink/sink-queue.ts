import { BatchReader } from '../../../log/batch.js';
import { LogError, type Log, type QueueEntry, type ReadResult } from '../../../log/log.js';

export interface FetchedBatch {
  readonly reader: BatchReader;
  readonly baseOffset: number;
  readonly bytes: number;
  /** Index in the batch of the next record to deliver. */
  next: number;
}

/** Whoever delivers from the queues. */
export interface QueueListener {
  /** There is something to deliver. */
  readonly wake: () => void;
  /** The queue cannot be read. */
  readonly fail: (error: unknown, queue: SinkQueue) => void;
}

export interface SinkQueueOptions {
  readonly log: Pick<Log, 'read'>;
  readonly topic: string;
  readonly queue: number;
  /** Bytes held ahead of the sink; at least one batch is always fetched. Asked before each read. */
  readonly maxBytes: () => number;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  /** The log is away. Resolves after the wait before try number `attempt` + 1. */
  readonly onAway: (error: LogError, attempt: number) => Promise<void>;
  /** After `onAway`: the log is there again. */
  readonly onBack: () => void;
  /** Retention has deleted the records from `from` to the one before `to`, which were not read yet. */
  readonly onLost: (from: number, to: number) => void;
}

export interface QueueStart {
  readonly offset: number;
  /** False: `offset` stands for the oldest record there is, and nothing is lost where that lies behind it. */
  readonly exact: boolean;
}

/** Reads one queue ahead of the sink, bounded in bytes: the next batches arrive while the sink writes. */
export class SinkQueue {
  readonly topic: string;
  readonly queue: number;
  /** By the plugin. */
  paused = false;
  /** By the task: the plugin has not opened it yet, or is about to close it. */
  held = false;
  readonly #options: SinkQueueOptions;
  readonly #listener: QueueListener;
  #batches: FetchedBatch[] = [];
  #bytes = 0;
  #fetchFrom: number;
  #position: number;
  #exact: boolean;
  #seeks = 0;
  #fetching = false;
  /** Of failed reads since the last one that was answered. */
  #failures = 0;
  /** Ends the read under way. One for all reads until a seek: each signal made costs its source a few bytes for ever. */
  #reads = new AbortController();
  #closed = false;
  readonly #end = (): void => {
    this.#reads.abort(this.#options.signal.reason);
  };

  constructor(options: SinkQueueOptions, listener: QueueListener, { offset, exact }: QueueStart) {
    this.#options = options;
    this.#listener = listener;
    this.topic = options.topic;
    this.queue = options.queue;
    this.#fetchFrom = offset;
    this.#position = offset;
    this.#exact = exact;
    options.signal.addEventListener('abort', this.#end);
  }

  /** Nothing is read or told of any more. */
  close(): void {
    this.#closed = true;
    this.seek(this.#position);
    this.#end();
    this.#options.signal.removeEventListener('abort', this.#end);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Counts the seeks. One makes stale what was peeked before it, also when it leads to the same offset. */
  get seeks(): number {
    return this.#seeks;
  }

  /** The next offset to deliver. */
  get position(): number {
    return this.#position;
  }

  /** The next offset to read from the log: behind records that retention has deleted, too. */
  get nextRead(): number {
    return this.#fetchFrom;
  }

  /** To offset 0 is to the oldest record there is. */
  seek(offset: number): void {
    this.#seeks += 1;
    this.#exact = offset > 0;
    this.#batches = [];
    this.#bytes = 0;
    this.#fetchFrom = offset;
    this.#position = offset;
    this.#reads.abort(new Error('the sink reads elsewhere now'));
    this.#reads = new AbortController();
  }

  /** The batch to deliver from, or null. Fetches on in the background. */
  peek(): FetchedBatch | null {
    this.fetch();
    return this.#batches[0] ?? null;
  }

  /** `count` records of the batch at the head were taken. */
  taken(batch: FetchedBatch, count: number): void {
    batch.next += count;
    this.#position = batch.baseOffset + batch.next;
    if (batch.next < batch.reader.count) return;
    this.#batches.shift();
    this.#bytes -= batch.bytes;
  }

  fetch(): void {
    if (this.#fetching || this.#closed || this.#options.signal.aborted) return;
    if (this.#batches.length > 0 && this.#bytes >= this.#options.maxBytes()) return;
    this.#fetching = true;
    void this.#fetch().then(
      () => {
        this.#fetching = false;
        this.fetch();
      },
      (error: unknown) => {
        this.#fetching = false;
        this.#listener.fail(error, this);
      },
    );
  }

  async #fetch(): Promise<void> {
    const seeks = this.#seeks;
    const from = this.#fetchFrom;
    const result = await this.#read(from).catch((error: unknown) => {
      if (seeks !== this.#seeks) return null;
      throw error;
    });
    if (result === null || seeks !== this.#seeks) return;
    const first = Math.min(result.startOffset, result.batches[0]?.baseOffset ?? result.nextOffset);
    if (this.#exact && first > from) this.#options.onLost(from, first);
    this.#exact = true;
    for (const { baseOffset, batch, fresh = false } of result.batches) {
      const reader = BatchReader.open(batch.bytes, fresh);
      const next = Math.max(0, from - baseOffset);
      if (next >= reader.count) continue;
      this.#batches.push({ reader, baseOffset, bytes: batch.bytes.byteLength, next });
      this.#bytes += batch.bytes.byteLength;
    }
    this.#fetchFrom = result.nextOffset;
    if (result.batches.length > 0) this.#listener.wake();
  }

  async #read(offset: number): Promise<ReadResult> {
    const { log, topic, queue, maxBytes, waitMs, onAway, onBack } = this.#options;
    const { signal } = this.#reads;
    for (;;) {
      try {
        const result = await log.read({
          topic,
          queue,
          offset,
          maxBytes: Math.max(1, maxBytes() - this.#bytes),
          maxRecords: Number.MAX_SAFE_INTEGER,
          waitMs,
          signal,
        });
        if (this.#failures > 0) onBack();
        this.#failures = 0;
        return result;
      } catch (error) {
        if (signal.aborted || !(error instanceof LogError) || error.code !== 'LOG_UNAVAILABLE') throw error;
        this.#failures += 1;
        await onAway(error, this.#failures);
      }
    }
  }
}

/** Names a queue in maps. */
export function queueKey(at: Pick<QueueEntry, 'topic' | 'queue'>): string {
  return `${at.topic}\n${at.queue}`;
}
