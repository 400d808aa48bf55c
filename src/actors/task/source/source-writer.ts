import type { PositionWord, SourcePosition } from '../../../core/model.js';
import type { JsonObject } from '../../../sdk/record.js';
import { BatchBuilder } from '../../../log/batch.js';
import { isNotNow, LogError, MAX_BATCH_BYTES, NO_MARK, type Log, type QueueEntry } from '../../../log/log.js';
import { DataError } from '../../../sdk/errors.js';
import type { ExactAppend, Repeat } from './exact-append.js';

export interface BatchLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** How long a batch that is not full may wait for more records while nothing else is being appended. */
  readonly lingerMs: number;
}

export interface SourceWriterOptions {
  readonly log: Pick<Log, 'append' | 'capabilities'>;
  readonly limits: BatchLimits;
  /** The entry that makes these positions durable, in the same append as the records they cover. */
  readonly positionEntry: (positions: readonly PositionWord[]) => QueueEntry;
  /** Where the log cannot append both at once, and the records are to stand there once all the same. */
  readonly exact: { readonly append: ExactAppend; readonly writer: number } | null;
  readonly fence: { readonly key: string; readonly epoch: number };
  /** Resolves after the wait before try number `attempt` (from 1); rejects when the task must stop instead. */
  readonly retry: (error: LogError, attempt: number) => Promise<void>;
  readonly onAppended: (records: number) => void;
}

/** Builders are kept from batch to batch for their memory; a source that writes to more queues makes them anew. */
const MAX_KEPT_BUILDERS = 16;
const RECORD_OVERHEAD_BYTES = 8;
/** A character takes at most three bytes: while fewer are open than this, no batch can be too large. */
const SAFE_CHARS = MAX_BATCH_BYTES / 3 - 1024;

interface OpenQueue {
  readonly topic: string;
  readonly queue: number;
  readonly builder: BatchBuilder;
  /** Of the records in it, where `exact`. */
  ids: number[];
}

/**
 * Collects a source's records into one batch a queue and appends them together with the positions they complete.
 * While an append is under way the next batches fill, so polling never waits for the disk until they are full:
 * what is held is bounded by `maxBytes` (open) plus one append. There is one at a
 * time, as one that fails must hold back the next: positions travel in it, and order holds.
 */
export class SourceWriter {
  readonly #options: SourceWriterOptions;
  readonly #open = new Map<string, OpenQueue>();
  #lastQueue: OpenQueue | null = null;
  /** Batches that are full, though the append is not. */
  #closed: QueueEntry[] = [];
  #positions = new Map<string, PositionWord>();
  #lastPartition: JsonObject | null = null;
  #lastPartitionKey = '';
  /** undefined: it was noted. */
  #lastPosition: JsonObject | null | undefined;
  #count = 0;
  #bytes = 0;
  #openedAt = 0;
  #appending = false;
  #lingerTimer: NodeJS.Timeout | null = null;
  #failure: { readonly error: unknown } | null = null;
  #durable: PositionWord[][] = [];
  readonly #waiters = new Set<() => void>();

  constructor(options: SourceWriterOptions) {
    this.#options = options;
  }

  get full(): boolean {
    return this.#bytes >= this.#options.limits.maxBytes || this.#count >= this.#options.limits.maxRecords;
  }

  /** Throws DataError RECORD_TOO_LARGE, with nothing added, where the log takes no record of that size. */
  add(
    topic: string,
    queue: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestamp: number,
    headers: readonly (readonly [string, Uint8Array])[] | null,
    mark = NO_MARK,
  ): void {
    const target = this.#queue(topic, queue);
    // An estimate, for speed: characters, not bytes.
    let size = (value?.length ?? 0) + (key?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    if (headers !== null)
      for (const [name, data] of headers) size += name.length + data.length + RECORD_OVERHEAD_BYTES;
    const { maxRecordBytes } = this.#options.log.capabilities;
    if (size * 3 > maxRecordBytes && recordBytes(key, value, headers) > maxRecordBytes)
      throw tooLarge(topic, maxRecordBytes);
    if (this.#bytes + size > SAFE_CHARS && !target.builder.fits(key, value, headers)) {
      this.#close(target);
      if (!target.builder.fits(key, value, headers)) throw tooLarge(topic, MAX_BATCH_BYTES);
    }
    target.builder.add(key, value, timestamp, headers);
    if (this.#options.exact !== null) target.ids.push(mark);
    this.#bytes += size;
    if (this.#count === 0) this.#openedAt = performance.now();
    this.#count += 1;
  }

  /**
   * The position after the record just added, or after one that was filtered out: it must move on as well. null: there
   * is nothing more to come of the partition, and its position is forgotten.
   */
  moved(partition: JsonObject, position: JsonObject | null): void {
    if (partition !== this.#lastPartition) {
      this.#notePosition();
      this.#lastPartition = partition;
      this.#lastPartitionKey = JSON.stringify(partition);
    }
    this.#lastPosition = position;
  }

  /** Appends what is there unless it should wait for more. Call after each poll. */
  pump(): void {
    if (this.#failure !== null || this.#appending) return;
    if (this.#count === 0 && this.#lastPosition === undefined && this.#positions.size === 0) return;
    const wait = this.#options.limits.lingerMs - (performance.now() - this.#openedAt);
    if (this.full || wait <= 0 || this.#waiters.size > 0) this.#send();
    else
      this.#lingerTimer ??= setTimeout(() => {
        this.#lingerTimer = null;
        this.pump();
      }, wait);
  }

  /** Resolves when more records may be added. Throws what made an append fail for good. */
  async room(): Promise<void> {
    while (this.full) {
      this.#check();
      this.pump();
      if (this.full) await this.#progress();
    }
    this.#check();
  }

  /** Resolves when everything added is durable. */
  async drain(): Promise<void> {
    const open = (): boolean =>
      this.#count > 0 || this.#lastPosition !== undefined || this.#positions.size > 0 || this.#appending;
    while (open()) {
      this.#check();
      const waiting = this.#progress();
      this.pump();
      await waiting;
    }
    this.#check();
  }

  /** Positions that became durable since the last call, the last one of each partition. */
  takeDurable(): readonly SourcePosition[] {
    this.#check();
    const taken = this.#durable;
    if (taken.length === 0) return [];
    this.#durable = [];
    const last = new Map<string, PositionWord>();
    for (const positions of taken)
      for (const item of positions) last.set(JSON.stringify(item.partition), item);
    return [...last.values()].filter(isPosition);
  }

  #queue(topic: string, queue: number): OpenQueue {
    const last = this.#lastQueue;
    if (last !== null && last.queue === queue && last.topic === topic) return last;
    const key = `${topic}\n${queue}`;
    let found = this.#open.get(key);
    if (found === undefined) {
      found = { topic, queue, builder: new BatchBuilder(), ids: [] };
      this.#open.set(key, found);
    }
    this.#lastQueue = found;
    return found;
  }

  #close(open: OpenQueue): void {
    const { topic, queue, builder, ids } = open;
    const { exact } = this.#options;
    if (builder.count === 0) return;
    const marks = exact === null ? {} : { marks: { writer: exact.writer, ids } };
    this.#closed.push({ topic, queue, batch: builder.build(), ...marks });
    builder.reset();
    open.ids = [];
  }

  #notePosition(): void {
    if (this.#lastPartition === null || this.#lastPosition === undefined) return;
    this.#positions.set(this.#lastPartitionKey, {
      partition: this.#lastPartition,
      position: this.#lastPosition,
    });
    this.#lastPosition = undefined;
  }

  #send(): void {
    this.#notePosition();
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer);
    this.#lingerTimer = null;
    const positions = [...this.#positions.values()];
    for (const open of this.#open.values()) this.#close(open);
    const entries = this.#closed;
    this.#closed = [];
    const count = this.#count;
    if (this.#open.size > MAX_KEPT_BUILDERS) {
      this.#open.clear();
      this.#lastQueue = null;
    }
    this.#positions = new Map();
    this.#count = 0;
    this.#bytes = 0;
    this.#appending = true;
    void this.#append(entries, positions).then(
      () => {
        this.#durable.push(positions);
        this.#options.onAppended(count);
        this.#settled();
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#settled();
      },
    );
  }

  async #append(entries: readonly QueueEntry[], positions: readonly PositionWord[]): Promise<void> {
    const { log, exact, fence, positionEntry } = this.#options;
    const repeat: Repeat = (call) => this.#repeat(call);
    if (exact !== null) return exact.append.append(entries, positions, repeat);
    const all = positions.length === 0 ? entries : [...entries, positionEntry(positions)];
    await repeat(() => log.append({ entries: all, fence }));
  }

  async #repeat<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof LogError) || !this.#mayRepeat(error)) throw error;
        await this.#options.retry(error, attempt);
      }
    }
  }

  /**
   * Of a full or busy log it is certain that nothing was appended. After other failures that pass the outcome is unknown:
   * where records and positions commit together, the task must start again from what is durable, or records could
   * stand twice; where they do not, they could stand twice after that, too, or are looked for (`exact`).
   */
  #mayRepeat(error: LogError): boolean {
    const { atomicAppend } = this.#options.log.capabilities;
    return isNotNow(error) && (error.code !== 'LOG_UNAVAILABLE' || !atomicAppend);
  }

  #settled(): void {
    this.#appending = false;
    this.pump();
    for (const waiter of [...this.#waiters]) waiter();
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done);
        resolve();
      };
      this.#waiters.add(done);
    });
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}

function isPosition(word: PositionWord): word is SourcePosition {
  return word.position !== null;
}

function recordBytes(
  key: Uint8Array | string | null,
  value: Uint8Array | string | null,
  headers: readonly (readonly [string, Uint8Array])[] | null,
): number {
  const parts = [key ?? '', value ?? '', ...(headers ?? []).flat()];
  return parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
}

function tooLarge(topic: string, maxBytes: number): DataError {
  return new DataError(
    `a record for topic "${topic}" is larger than the ${maxBytes} bytes that the log takes: make it smaller at its source, or by a transform`,
    { code: 'RECORD_TOO_LARGE' },
  );
}
