import { BatchBuilder, checkRecord, type RecordHeader } from '../../../log/batch.js';
import { MAX_BATCH_BYTES, type QueueEntry } from '../../../log/log.js';
import { DataError } from '../../../sdk/errors.js';

/** Builders are kept from batch to batch for their memory; a source that writes to more queues makes them anew. */
const MAX_KEPT_BUILDERS = 16;
const RECORD_OVERHEAD_BYTES = 8;
/** A character takes at most three bytes: while fewer are open than this, no batch can be too large. */
const SAFE_CHARS = MAX_BATCH_BYTES / 3 - 1024;

/** Where the records of a batch went. */
export interface BatchPlace {
  readonly topic: string;
  readonly queue: number;
  /** Offset of its first record; null: not appended yet, or not known. */
  base: number | null;
}

interface OpenQueue {
  readonly topic: string;
  readonly queue: number;
  readonly builder: BatchBuilder;
  /** Of the records in it, where they are marked. */
  ids: number[];
  place: BatchPlace;
}

/** The records of the next append: a batch for each queue, or several where one would be too large. */
export class OpenBatches {
  readonly #maxRecordBytes: number;
  /** Whose records they are, where they are marked. */
  readonly #writer: number | null;
  readonly #open = new Map<string, OpenQueue>();
  #lastQueue: OpenQueue | null = null;
  /** Batches that are full, though the append is not. */
  #closed: QueueEntry[] = [];
  /** Of each of these. */
  #places: BatchPlace[] = [];
  #count = 0;
  #bytes = 0;

  constructor(maxRecordBytes: number, writer: number | null) {
    this.#maxRecordBytes = maxRecordBytes;
    this.#writer = writer;
  }

  get count(): number {
    return this.#count;
  }

  /** An estimate: characters, not bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws DataError RECORD_TOO_LARGE, with nothing added, where the log takes no record of that size. */
  add(
    topic: string,
    queue: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
    mark: number,
  ): void {
    const target = this.#queue(topic, queue);
    const size = this.#checkedSize(topic, key, value, headers);
    if (this.#bytes + size > SAFE_CHARS && !target.builder.fits(key, value, headers)) {
      this.#close(target);
      if (!target.builder.fits(key, value, headers)) throw tooLarge(topic, MAX_BATCH_BYTES);
    }
    target.builder.add(key, value, timestamp, headers);
    if (this.#writer !== null) target.ids.push(mark);
    this.#bytes += size;
    this.#count += 1;
  }

  /** Throws what `add` would, at any time, and adds nothing. */
  check(
    topic: string,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestamp: number,
    headers: readonly RecordHeader[] | null,
  ): void {
    const size = this.#checkedSize(topic, key, value, headers);
    if (size > SAFE_CHARS && !new BatchBuilder().fits(key, value, headers))
      throw tooLarge(topic, MAX_BATCH_BYTES);
    checkRecord(timestamp, headers);
  }

  /** All of them; none are left. */
  take(): { readonly entries: readonly QueueEntry[]; readonly places: readonly BatchPlace[] } {
    for (const open of this.#open.values()) this.#close(open);
    const entries = this.#closed;
    const places = this.#places;
    this.#closed = [];
    this.#places = [];
    if (this.#open.size > MAX_KEPT_BUILDERS) {
      this.#open.clear();
      this.#lastQueue = null;
    }
    this.#count = 0;
    this.#bytes = 0;
    return { entries, places };
  }

  /** Of the record that was added last: its batch, and its index there. Only right after `add`. */
  get last(): { readonly place: BatchPlace; readonly index: number } | null {
    const last = this.#lastQueue;
    return last === null ? null : { place: last.place, index: last.builder.count - 1 };
  }

  /** An estimate, for speed: characters, not bytes. */
  #checkedSize(
    topic: string,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: readonly RecordHeader[] | null,
  ): number {
    let size = (value?.length ?? 0) + (key?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    if (headers !== null)
      for (const [name, data] of headers) size += name.length + data.length + RECORD_OVERHEAD_BYTES;
    if (size * 3 > this.#maxRecordBytes && recordBytes(key, value, headers) > this.#maxRecordBytes)
      throw tooLarge(topic, this.#maxRecordBytes);
    return size;
  }

  #queue(topic: string, queue: number): OpenQueue {
    const last = this.#lastQueue;
    if (last !== null && last.queue === queue && last.topic === topic) return last;
    const key = `${topic}\n${queue}`;
    let found = this.#open.get(key);
    if (found === undefined) {
      found = { topic, queue, builder: new BatchBuilder(), ids: [], place: { topic, queue, base: null } };
      this.#open.set(key, found);
    }
    this.#lastQueue = found;
    return found;
  }

  #close(open: OpenQueue): void {
    const { topic, queue, builder, ids } = open;
    if (builder.count === 0) return;
    const marks = this.#writer === null ? {} : { marks: { writer: this.#writer, ids } };
    this.#closed.push({ topic, queue, batch: builder.build(), ...marks });
    this.#places.push(open.place);
    open.place = { topic, queue, base: null };
    builder.reset();
    open.ids = [];
  }
}

/** In the log, without what frames them. */
export function recordBytes(
  key: Uint8Array | string | null,
  value: Uint8Array | string | null,
  headers: readonly RecordHeader[] | null,
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
