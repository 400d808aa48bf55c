/** Gathers what several pulls bring into few batches: a broker answers 32 messages at a time, unless set otherwise. */
import { BatchBuilder } from '../batch.js';
import { NO_MARK, type StoredBatch } from '../log.js';
import type { StoredMessage } from './message.js';
import { markOf } from './record-id.js';
import { addRecord } from './record-message.js';

export interface CollectorLimits {
  readonly maxBytes: number;
  readonly maxRecords: number;
  /** As in the port's ReadRequest. */
  readonly markedBy?: number | undefined;
}

/** More than a record takes in a batch besides its parts as they stand in the message. */
const RECORD_BYTES = 64;

/** The first record is taken whatever its size. */
export class RecordCollector {
  readonly #limits: CollectorLimits;
  readonly #batches: StoredBatch[] = [];
  readonly #builder = new BatchBuilder();
  #marks: number[] = [];
  #closedBytes = 0;
  #records = 0;
  #base = 0;
  #next: number;
  #full = false;

  constructor(from: number, limits: CollectorLimits) {
    this.#next = from;
    this.#limits = limits;
  }

  /** The offset to read next. */
  get next(): number {
    return this.#next;
  }

  get records(): number {
    return this.#records;
  }

  /** Of the batches so far. */
  get bytes(): number {
    return this.#closedBytes + this.#builder.byteSize;
  }

  get full(): boolean {
    return this.#full || this.#records >= this.#limits.maxRecords;
  }

  /** Nothing lies between here and `offset`. */
  skipTo(offset: number): void {
    if (!this.#full && offset > this.#next) this.#next = offset;
  }

  add(messages: Iterable<StoredMessage>): void {
    for (const message of messages) {
      // Of a batch that begins before the offset asked for.
      if (message.queueOffset < this.#next) continue;
      if (!this.#fits(message)) {
        this.#full = true;
        return;
      }
      // A batch numbers its records without gaps.
      if (message.queueOffset > this.#next) this.#close();
      if (this.#builder.count === 0) this.#base = message.queueOffset;
      const id = addRecord(message, this.#builder);
      const { markedBy } = this.#limits;
      if (markedBy !== undefined) this.#marks.push(id === null ? NO_MARK : (markOf(id, markedBy) ?? NO_MARK));
      this.#next = message.queueOffset + 1;
      this.#records += 1;
    }
  }

  finish(): readonly StoredBatch[] {
    this.#close();
    return this.#batches;
  }

  #fits({ body, properties }: StoredMessage): boolean {
    if (this.#records === 0) return true;
    if (this.#records >= this.#limits.maxRecords) return false;
    return this.bytes + body.length + properties.length + RECORD_BYTES <= this.#limits.maxBytes;
  }

  #close(): void {
    if (this.#builder.count === 0) return;
    const batch = this.#builder.build();
    const marks = this.#limits.markedBy === undefined ? {} : { marks: this.#marks };
    this.#batches.push({ baseOffset: this.#base, batch, fresh: true, ...marks });
    this.#marks = [];
    this.#closedBytes += batch.bytes.byteLength;
    this.#builder.reset();
  }
}
