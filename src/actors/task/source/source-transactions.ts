import type { TransactionPart } from '../../../core/model.js';
import { canonicalJson } from '../../../core/replica/canonical-json.js';
import { LeftPart } from '../../../core/progress/transaction-parts.js';
import { ConnectError, type SkipTo } from '../../../sdk/errors.js';
import type { JsonObject, RecordTransaction, SourceRecord } from '../../../sdk/record.js';
import type { RecordHeader } from '../../../log/batch.js';
import { escapedHeaders } from '../../../log/transaction-mark.js';
import type { ActorLogger } from '../../kernel/protocol.js';
import { HeldTransaction } from './held-transaction.js';
import type { SourceWriter } from './source-writer.js';

export interface SourceTransactionsOptions {
  readonly writer: Pick<SourceWriter, 'add' | 'moved' | 'part' | 'checkRecord'>;
  /** What may be held of transactions that have not ended; what is more is appended in parts. */
  readonly maxBytes: number;
  /** Which stand in the log in part, from an earlier start. */
  readonly parts: readonly TransactionPart[];
  readonly log: Pick<ActorLogger, 'info' | 'warn'>;
  readonly note: (code: string, message: string | null) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Where a record stands in its source. */
type Place = Pick<SourceRecord, 'sourcePartition' | 'sourcePosition' | 'transaction'>;

/** Each is of another source partition. */
const MAX_OPEN = 10_000;
/** One that is open for longer is said in the status. */
const NOTE_AFTER_MS = 60_000;
const LOOK_EVERY_MS = 10_000;
const OPEN = 'TRANSACTION_OPEN';

/**
 * Stands before a source's writer. What is part of a transaction is held until its end is there, and then given to the writer
 * at once, so that it is in one append; the position of its partition moves with it. Held is at most `maxBytes`: of more, the
 * largest is appended in parts.
 */
export class SourceTransactions {
  readonly #options: SourceTransactionsOptions;
  /** By partition, as text. */
  readonly #open = new Map<string, HeldTransaction>();
  /** Those of the last record. */
  #lastPartition: JsonObject | null = null;
  #lastKey = '';
  #current: HeldTransaction | null = null;
  /** By partition, in canonical form, until the source makes a record of it. */
  readonly #left: Map<string, TransactionPart>;
  /** Whose part was taken last, if there was one. */
  #looked = '';
  #bytes = 0;
  #lookAt = 0;
  #noted = false;

  constructor(options: SourceTransactionsOptions) {
    this.#options = options;
    this.#left = new Map(options.parts.map((part) => [canonicalJson(part.partition), part]));
  }

  /** Whether one has begun and not ended. */
  get areOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Of what is held in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Before anything is done with a record. False: it stands in the log already, and nothing is to be done with it. Throws
   * TRANSACTION_CHANGED where what is read again is not what stands there.
   */
  enter(record: Place): boolean {
    const { transaction = null } = record;
    if (transaction === null && this.#open.size === 0 && this.#left.size === 0) return true;
    const current = this.#enter(record.sourcePartition, transaction);
    if (current?.left?.more !== true) return true;
    this.#passLeft(current, current.left, record);
    return false;
  }

  /** Throws DataError RECORD_TOO_LARGE. */
  add(
    topic: string,
    queue: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
    mark: number | undefined,
    transaction: RecordTransaction | null,
  ): void {
    const { writer } = this.#options;
    const current = this.#current;
    if (transaction === null || current === null) {
      writer.add(topic, queue, key, value, timestamp, headers && escapedHeaders(headers), mark);
    } else if (current.inParts) {
      const marked = current.marked(headers, transaction.end);
      writer.add(topic, queue, key, value, timestamp, marked, mark);
    } else {
      writer.checkRecord(topic, key, value, timestamp, current.marked(headers, true));
      this.#bytes += current.hold({ topic, queue, key, value, timestamp, headers, mark });
    }
  }

  /** After a record, whatever has become of it: that it was dropped or skipped changes nothing of where transactions end. */
  passed({ sourcePartition: partition, sourcePosition: position, transaction = null }: Place): void {
    const current = this.#current;
    if (transaction === null || current === null) {
      this.#options.writer.moved(partition, position);
      return;
    }
    current.passed(position);
    if (transaction.end) this.#end(current);
    else if (current.inParts) this.#options.writer.part(current.part);
    else while (this.#bytes > this.#options.maxBytes) this.#appendInPart();
  }

  /** A bad record that the source could not make. Without a word of its transaction it is part of the one that is open. */
  skipped({ partition, position, transaction }: SkipTo): void {
    const open = this.#open.get(this.#keyOf(partition));
    const of = transaction ?? (transaction === undefined && open !== undefined ? open.inside : null);
    const record = { sourcePartition: partition, sourcePosition: position, transaction: of };
    if (of === null && this.#open.size === 0 && this.#left.size === 0) {
      this.#options.writer.moved(partition, position);
      return;
    }
    const current = this.#enter(partition, of);
    if (current?.left?.more === true) this.#passLeft(current, current.left, record);
    else this.passed(record);
  }

  /** `beginAt` and `retire`: within a transaction the one waits for its end, the other is its end. */
  said(partition: JsonObject, position: JsonObject | null): void {
    const open = this.#open.size === 0 ? undefined : this.#open.get(this.#keyOf(partition));
    if (open !== undefined && position !== null) {
      open.position = position;
      return;
    }
    if (open !== undefined) this.#end(open);
    this.#options.writer.moved(partition, position);
  }

  /** Says which transaction has been open for long. Call now and then. */
  look(): void {
    if (this.#open.size === 0 && !this.#noted) return;
    const now = this.#options.now();
    if (now < this.#lookAt) return;
    this.#lookAt = now + LOOK_EVERY_MS;
    let oldest: HeldTransaction | null = null;
    for (const open of this.#open.values()) if (oldest === null || open.since < oldest.since) oldest = open;
    const late = oldest !== null && now - oldest.since >= NOTE_AFTER_MS ? oldest : null;
    this.#noted = late !== null;
    this.#options.note(OPEN, late === null ? null : this.#described(late));
  }

  /** The task ends. What is held is dropped: its source makes it again. */
  close(): void {
    for (const open of [...this.#open.values()].slice(0, 10)) {
      const { id, partition, records, inParts } = open;
      const what = inParts ? 'it stands in the log in part' : 'nothing of it was appended';
      this.#options.log.info(
        { transaction: id, partition, records },
        `the task ends within a transaction: ${what}`,
      );
    }
    this.#open.clear();
    this.#current = null;
    this.#bytes = 0;
  }

  #enter(partition: JsonObject, transaction: RecordTransaction | null): HeldTransaction | null {
    const key = this.#keyOf(partition);
    let open = this.#open.get(key) ?? null;
    if (open !== null && open.id !== transaction?.id) {
      // Without a word of its own its end is known by what follows it.
      this.#end(open);
      open = null;
    }
    if (open === null) open = this.#begin(key, partition, transaction);
    this.#current = open;
    return open;
  }

  #begin(key: string, partition: JsonObject, transaction: RecordTransaction | null): HeldTransaction | null {
    const left = this.#left.size === 0 || key === this.#looked ? null : this.#takeLeft(partition);
    this.#looked = key;
    if (left !== null && left.id !== transaction?.id)
      this.#options.log.warn(
        { transaction: left.id, partition, records: left.records },
        'a transaction stands in the log in part, and its source does not make it again',
      );
    if (transaction === null) return null;
    const { id } = transaction;
    if (this.#open.size >= MAX_OPEN)
      throw new ConnectError(
        `the source has more than ${MAX_OPEN} transactions open, each of another partition: let it end them`,
        { code: 'TOO_MANY_TRANSACTIONS' },
      );
    const begun = new HeldTransaction(
      key,
      partition,
      id,
      this.#options.now(),
      left?.id === id ? new LeftPart(left) : null,
    );
    this.#open.set(key, begun);
    return begun;
  }

  #takeLeft(partition: JsonObject): TransactionPart | null {
    const key = canonicalJson(partition);
    const left = this.#left.get(key) ?? null;
    this.#left.delete(key);
    return left;
  }

  #passLeft(current: HeldTransaction, left: LeftPart, record: Place): void {
    const end = record.transaction?.end === true;
    if (!left.passes(record.sourcePosition, end)) throw this.#changed(current, left);
    current.passed(record.sourcePosition);
    if (end) this.#end(current);
  }

  /** Appended anew, its records stand there twice; passed over, some could be lost. */
  #changed(current: HeldTransaction, left: LeftPart): ConnectError {
    const { partition, id } = current;
    this.#open.delete(current.key);
    this.#options.writer.part({ ...current.part, records: 0 });
    return new ConnectError(
      `the first ${left.records} records of transaction ${id} of ${JSON.stringify(partition).slice(0, 200)} stand in the log, and the source makes others when it is read again: the task starts again and appends it whole, so what stands there of it stands twice`,
      { code: 'TRANSACTION_CHANGED' },
    );
  }

  #end(open: HeldTransaction): void {
    const { writer } = this.#options;
    if (open.left?.more === true) throw this.#changed(open, open.left);
    this.#open.delete(open.key);
    if (this.#current === open) this.#current = null;
    this.#bytes -= open.release(writer, true);
    writer.moved(open.partition, open.position);
  }

  #appendInPart(): void {
    let largest: HeldTransaction | null = null;
    for (const open of this.#open.values())
      if (largest === null || open.bytes > largest.bytes) largest = open;
    if (largest === null) return;
    this.#bytes -= largest.release(this.#options.writer, false);
    largest.inParts = true;
    this.#options.writer.part(largest.part);
  }

  #keyOf(partition: JsonObject): string {
    if (partition !== this.#lastPartition) {
      this.#lastPartition = partition;
      this.#lastKey = JSON.stringify(partition);
    }
    return this.#lastKey;
  }

  #described({ id, partition, since, records, bytes, inParts }: HeldTransaction): string {
    const held = inParts ? 'they are appended in parts' : `${bytes} bytes wait in memory for its end`;
    const others = this.#open.size === 1 ? '' : `; ${this.#open.size - 1} others are open`;
    return `transaction ${id} of ${JSON.stringify(partition).slice(0, 200)} is open since ${new Date(since).toISOString()}, with ${records} records: ${held}, and the position of the partition stays before it${others}`;
  }
}
