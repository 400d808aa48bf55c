import type { PositionWord, ProgressWord, SourcePosition, TransactionPart } from '../../../core/model.js';
import type { CommittedRecord } from '../../../sdk/plugin.js';
import type { JsonObject, SourceRecord } from '../../../sdk/record.js';
import type { RecordHeader } from '../../../log/batch.js';
import { isNotNow, LogError, NO_MARK, type Log, type QueueEntry } from '../../../log/log.js';
import type { ExactAppend, Repeat } from './exact-append.js';
import { MovedPositions } from './moved-positions.js';
import { NotedRecords } from './noted-records.js';
import { OpenBatches, type BatchPlace } from './open-batches.js';

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
  readonly positionEntry: (words: readonly ProgressWord[]) => QueueEntry;
  /** Where the log cannot append both at once, and the records are to stand there once all the same. */
  readonly exact: { readonly append: ExactAppend; readonly writer: number } | null;
  readonly fence: { readonly key: string; readonly epoch: number };
  /** Resolves after the wait before try number `attempt` (from 1); rejects when the task must stop instead. */
  readonly retry: (error: LogError, attempt: number) => Promise<void>;
  /** `bytes`: of their batches. */
  readonly onAppended: (records: number, bytes: number, topics: ReadonlySet<string>) => void;
}

/**
 * Collects a source's records into one batch a queue and appends them together with the positions they complete.
 * While an append is under way the next batches fill, so polling never waits for the disk until they are full:
 * what is held is bounded by `maxBytes` (open) plus one append. There is one at a
 * time, as one that fails must hold back the next: positions travel in it, and order holds.
 */
export class SourceWriter {
  readonly #options: SourceWriterOptions;
  readonly #open: OpenBatches;
  readonly #positions = new MovedPositions();
  #openedAt = 0;
  #appending = false;
  #lingerTimer: NodeJS.Timeout | null = null;
  #failure: { readonly error: unknown } | null = null;
  #durable: ProgressWord[][] = [];
  readonly #noted = new NotedRecords();
  readonly #waiters = new Set<() => void>();

  constructor(options: SourceWriterOptions) {
    this.#options = options;
    const { exact, log } = options;
    this.#open = new OpenBatches(log.capabilities.maxRecordBytes, exact === null ? null : exact.writer);
  }

  get full(): boolean {
    const { limits } = this.#options;
    return (
      this.#open.bytes >= limits.maxBytes ||
      this.#open.count >= limits.maxRecords ||
      // Those that were left out are counted there alone.
      this.#noted.size >= limits.maxRecords
    );
  }

  /** Throws DataError RECORD_TOO_LARGE, with nothing added, where the log takes no record of that size. */
  add(
    topic: string,
    queue: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
    mark = NO_MARK,
  ): void {
    this.#open.add(topic, queue, key, value, timestamp, headers, mark);
    if (this.#open.count === 1) this.#openedAt = performance.now();
  }

  /** Throws what `add` would throw, at any time. */
  checkRecord(
    topic: string,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
  ): void {
    this.#open.check(topic, key, value, timestamp, headers);
  }

  /**
   * The position after the record just added, or after one that was filtered out: it must move on as well. null: there
   * is nothing more to come of the partition, and its position is forgotten.
   */
  moved(partition: JsonObject, position: JsonObject | null): void {
    this.#positions.moved(partition, position);
  }

  /** The record just added, or what was left out, is part of a transaction whose end is not there yet. */
  part(part: TransactionPart): void {
    this.#positions.part(part);
  }

  /** For a task that is told of its records: the one just added, or one that was left out. Before its `moved`. */
  noted(record: SourceRecord, isAdded: boolean): void {
    this.#noted.add(record, isAdded ? this.#open.last : null);
  }

  /** Those that became durable since the last call, in order. Call after `takeDurable`. */
  takeCommitted(): readonly CommittedRecord[] {
    return this.#noted.takeCommitted();
  }

  /** Appends what is there unless it should wait for more. Call after each poll. */
  pump(): void {
    if (this.#failure !== null || this.#appending) return;
    if (!this.#something) return;
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
    while (this.#something || this.#appending) {
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
      for (const word of positions) if (!('part' in word)) last.set(JSON.stringify(word.partition), word);
    return [...last.values()].filter(isPosition);
  }

  get #something(): boolean {
    return this.#open.count > 0 || this.#positions.any;
  }

  #send(): void {
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer);
    this.#lingerTimer = null;
    const positions = this.#positions.take();
    const { count } = this.#open;
    const { entries, places } = this.#open.take();
    const noted = this.#noted.take();
    // Before they are given away.
    const bytes = bytesOf(entries);
    const topics = new Set(entries.map(({ topic }) => topic));
    this.#appending = true;
    void this.#append(entries, positions, places).then(
      () => {
        this.#durable.push(positions);
        this.#noted.committed(noted);
        this.#options.onAppended(count, bytes, topics);
        this.#settled();
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#settled();
      },
    );
  }

  async #append(
    entries: readonly QueueEntry[],
    positions: readonly ProgressWord[],
    places: readonly BatchPlace[],
  ): Promise<void> {
    const { log, exact, fence, positionEntry } = this.#options;
    const repeat: Repeat = (call) => this.#repeat(call);
    if (exact !== null) return exact.append.append(entries, positions, repeat);
    const all = positions.length === 0 ? entries : [...entries, positionEntry(positions)];
    const offsets = await repeat(() => log.append({ entries: all, fence }));
    // Elsewhere the records of one may have others' between them.
    if (log.capabilities.atomicAppend)
      for (const [i, place] of places.entries()) place.base = offsets[i] ?? null;
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

function bytesOf(entries: readonly QueueEntry[]): number {
  return entries.reduce((sum, { batch }) => sum + batch.bytes.byteLength, 0);
}

function isPosition(word: PositionWord): word is SourcePosition {
  return word.position !== null;
}
