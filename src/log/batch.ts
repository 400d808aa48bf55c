/**
 * Records packed into one `EncodedBatch`. All numbers are little-endian.
 *
 *     0 u32 magic   4 u8 version   5 u8 flags   6 u16 zero   8 u32 count   12 u32 crc32 of the rest, with this field zero
 *    16 f64 timestamp: of all, or the one that the deltas add to
 *    24 u32 size of key bytes     28 u32 size of header bytes     32 u32 size of value bytes     36 u32 zero
 *    40 u32 value lengths, one a record (0xffffffff: null)
 *       key lengths       where HAS_KEYS
 *       header lengths    where HAS_HEADERS
 *       timestamps        u32 deltas where TIME_DELTAS, f64 where TIMES
 *       key bytes, header bytes, value bytes
 */
import { crc32 } from 'node:zlib';

import { ColumnReader, ColumnWriter } from './batch-column.js';
import { checkHeaderName, decodeHeaders, encodeHeaders, headersSize } from './batch-headers.js';
import type { RecordHeader } from './batch-headers.js';
import { LogError, MAX_BATCH_BYTES } from './log.js';
import type { EncodedBatch } from './log.js';

export type { RecordHeader } from './batch-headers.js';

const MAGIC = 0x42505254; // 'TRPB'
const VERSION = 1;
const HEADER_BYTES = 40;
const VALUES_ASCII = 1;
const KEYS_ASCII = 2;
const HAS_KEYS = 4;
const HAS_HEADERS = 8;
const TIME_DELTAS = 16;
const TIMES = 32;

/** The most that a record's lengths and timestamp take. */
const RECORD_BYTES = 20;

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);

/** Packs records. One builder serves many batches: `build`, then `reset`. */
export class BatchBuilder {
  readonly #values = new ColumnWriter();
  readonly #keys = new ColumnWriter();
  readonly #headers = new ColumnWriter();
  #hasKeys = false;
  #hasHeaders = false;
  #count = 0;
  #times = new Float64Array(256);
  #minTime = Infinity;
  #maxTime = -Infinity;

  get count(): number {
    return this.#count;
  }

  /** What `build` would return, in bytes; too low by at most 128 KB where the newest text is not ASCII. */
  get byteSize(): number {
    const columns = this.#values.byteSize + this.#keys.byteSize + this.#headers.byteSize;
    return (
      HEADER_BYTES +
      columns +
      this.#count * (4 + (this.#hasKeys ? 4 : 0) + (this.#hasHeaders ? 4 : 0) + this.#timeBytes())
    );
  }

  /**
   * False where the batch might become too large with this record; of an empty batch: where the record is too large
   * for any. Looks at every character, so it is worth asking only near the limit.
   */
  fits(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: readonly RecordHeader[] | null = null,
  ): boolean {
    const record = byteLength(key) + byteLength(value) + (headers === null ? 0 : headersSize(headers));
    const columns = this.#values.maxByteSize + this.#keys.maxByteSize + this.#headers.maxByteSize;
    return HEADER_BYTES + columns + record + (this.#count + 1) * RECORD_BYTES <= MAX_BATCH_BYTES;
  }

  /**
   * Adds a record. Strings stand for their UTF-8; null is not the same as empty. Bytes are copied.
   * `timestamp`: milliseconds since 1970.
   */
  add(
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    timestamp: number,
    headers: readonly RecordHeader[] | null = null,
  ): void {
    checkTimestamp(timestamp);
    const encodedHeaders = headers !== null && headers.length > 0 ? encodeHeaders(headers) : null;
    // From here on nothing is refused: what was added of a refused record would shift the columns.
    if (key !== null && !this.#hasKeys) {
      this.#hasKeys = true;
      this.#keys.addNulls(this.#count);
    }
    if (encodedHeaders !== null && !this.#hasHeaders) {
      this.#hasHeaders = true;
      this.#headers.addNulls(this.#count);
    }
    this.#values.add(value);
    if (this.#hasKeys) this.#keys.add(key);
    if (this.#hasHeaders) this.#headers.add(encodedHeaders);
    this.#addTime(timestamp);
    this.#count++;
  }

  /** The batch, in memory of its own that may be transferred. LogError LOG_BAD_REQUEST when empty or too large. */
  build(): EncodedBatch {
    if (this.#count === 0) throw new LogError('LOG_BAD_REQUEST', 'a batch must hold at least one record');
    for (const column of [this.#values, this.#keys, this.#headers]) column.finish();
    const size = this.byteSize;
    if (size > MAX_BATCH_BYTES) {
      throw new LogError(
        'LOG_BAD_REQUEST',
        `a batch of ${size} bytes is larger than the limit of ${MAX_BATCH_BYTES}: make smaller batches`,
      );
    }
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
    const view = new DataView(bytes.buffer);
    this.#writeHeader(view);
    let at = this.#values.writeLengths(view, HEADER_BYTES);
    at = this.#keys.writeLengths(view, at);
    at = this.#headers.writeLengths(view, at);
    at = this.#writeTimes(view, at);
    at = this.#keys.writeBytes(bytes, at);
    at = this.#headers.writeBytes(bytes, at);
    this.#values.writeBytes(bytes, at);
    view.setUint32(12, crc32(bytes), true);
    return { bytes, count: this.#count };
  }

  /** Makes it empty, for the next batch. */
  reset(): void {
    for (const column of [this.#values, this.#keys, this.#headers]) column.reset();
    this.#hasKeys = false;
    this.#hasHeaders = false;
    this.#count = 0;
    this.#minTime = Infinity;
    this.#maxTime = -Infinity;
  }

  #writeHeader(view: DataView): void {
    let flags = this.#values.isAscii() ? VALUES_ASCII : 0;
    if (this.#hasKeys) flags |= HAS_KEYS | (this.#keys.isAscii() ? KEYS_ASCII : 0);
    if (this.#hasHeaders) flags |= HAS_HEADERS;
    const timeBytes = this.#timeBytes();
    if (timeBytes > 0) flags |= timeBytes === 4 ? TIME_DELTAS : TIMES;
    view.setUint32(0, MAGIC, true);
    view.setUint8(4, VERSION);
    view.setUint8(5, flags);
    view.setUint16(6, 0);
    view.setUint32(8, this.#count, true);
    view.setUint32(12, 0);
    view.setFloat64(16, this.#minTime, true);
    view.setUint32(24, this.#keys.byteSize, true);
    view.setUint32(28, this.#headers.byteSize, true);
    view.setUint32(32, this.#values.byteSize, true);
    view.setUint32(36, 0);
  }

  #writeTimes(view: DataView, offset: number): number {
    const size = this.#timeBytes();
    for (let i = 0; i < this.#count && size > 0; i++) {
      const time = this.#times[i] ?? 0;
      if (size === 4) view.setUint32(offset + i * 4, time - this.#minTime, true);
      else view.setFloat64(offset + i * 8, time, true);
    }
    return offset + this.#count * size;
  }

  #timeBytes(): 0 | 4 | 8 {
    const range = this.#maxTime - this.#minTime;
    return this.#count === 0 || range === 0 ? 0 : range <= 0xffffffff ? 4 : 8;
  }

  #addTime(time: number): void {
    if (this.#count === this.#times.length) {
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#times);
      this.#times = larger;
    }
    this.#times[this.#count] = time;
    if (time < this.#minTime) this.#minTime = time;
    if (time > this.#maxTime) this.#maxTime = time;
  }
}

/** LogError LOG_BAD_REQUEST where `add` would refuse it. */
export function checkRecord(timestamp: number, headers: readonly RecordHeader[] | null): void {
  checkTimestamp(timestamp);
  if (headers !== null) for (const [name] of headers) checkHeaderName(name);
}

function checkTimestamp(timestamp: number): void {
  if (Number.isSafeInteger(timestamp)) return;
  throw new LogError(
    'LOG_BAD_REQUEST',
    `a timestamp must be whole milliseconds since 1970, not ${timestamp}`,
  );
}

function byteLength(value: Uint8Array | string | null): number {
  return value === null ? 0 : Buffer.byteLength(value);
}

/**
 * Reads a batch, by record number from 0. `open` checks it wholly (LogError LOG_CORRUPT).
 * Views and strings it hands out share the batch's memory.
 */
export class BatchReader {
  readonly count: number;
  readonly #view: DataView;
  readonly #values: ColumnReader;
  readonly #keys: ColumnReader | null;
  readonly #headers: ColumnReader | null;
  readonly #baseTime: number;
  readonly #timesAt: number;
  readonly #timeBytes: 0 | 4 | 8;

  /** `fresh`: built in this process and never stored, so that its checksum need not be looked at. */
  static open(batch: Uint8Array, fresh = false): BatchReader {
    return new BatchReader(batch, fresh);
  }

  private constructor(batch: Uint8Array, fresh: boolean) {
    const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
    const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
    checkHeader(bytes, view);
    if (!fresh) checkSum(bytes, view);
    const count = view.getUint32(8, true);
    const flags = view.getUint8(5);
    const keysLengthsAt = HEADER_BYTES + count * 4;
    const headersLengthsAt = keysLengthsAt + (flags & HAS_KEYS ? count * 4 : 0);
    this.#timesAt = headersLengthsAt + (flags & HAS_HEADERS ? count * 4 : 0);
    this.#timeBytes = flags & TIME_DELTAS ? 4 : flags & TIMES ? 8 : 0;
    const keysAt = this.#timesAt + count * this.#timeBytes;
    const headersAt = keysAt + view.getUint32(24, true);
    const valuesAt = headersAt + view.getUint32(28, true);
    const end = valuesAt + view.getUint32(32, true);
    if (end !== bytes.length) throw corrupt('its parts do not add up to its size');
    const column = (lengthsAt: number, from: number, to: number, ascii: number): ColumnReader =>
      new ColumnReader(bytes, view, count, { lengthsAt, start: from, end: to, ascii: ascii !== 0 });
    this.count = count;
    this.#view = view;
    this.#baseTime = view.getFloat64(16, true);
    this.#values = column(HEADER_BYTES, valuesAt, end, flags & VALUES_ASCII);
    this.#keys = flags & HAS_KEYS ? column(keysLengthsAt, keysAt, headersAt, flags & KEYS_ASCII) : null;
    this.#headers = flags & HAS_HEADERS ? column(headersLengthsAt, headersAt, valuesAt, 0) : null;
  }

  /** A view, not a copy. */
  value(index: number): Uint8Array | null {
    return this.#values.bytes(index);
  }

  /**
   * The value decoded as UTF-8. Cheapest in order. A string may share about 64 KB with its neighbours: to keep a
   * few of them for long, copy them.
   */
  valueText(index: number): string | null {
    return this.#values.text(index);
  }

  /** As `valueText`, but the bytes themselves where they are no UTF-8. */
  valueTextOrBytes(index: number): string | Uint8Array | null {
    return this.#values.textOrBytes(index);
  }

  key(index: number): Uint8Array | null {
    return this.#keys === null ? null : this.#keys.bytes(index);
  }

  keyText(index: number): string | null {
    return this.#keys === null ? null : this.#keys.text(index);
  }

  keyTextOrBytes(index: number): string | Uint8Array | null {
    return this.#keys === null ? null : this.#keys.textOrBytes(index);
  }

  timestamp(index: number): number {
    if (this.#timeBytes === 0) return this.#baseTime;
    if (this.#timeBytes === 8) return this.#view.getFloat64(this.#timesAt + index * 8, true);
    return this.#baseTime + this.#view.getUint32(this.#timesAt + index * 4, true);
  }

  /** Bytes of its key, value and headers, as they stand here. */
  size(index: number): number {
    const value = this.#values.size(index);
    return value + (this.#keys?.size(index) ?? 0) + (this.#headers?.size(index) ?? 0);
  }

  headers(index: number): readonly RecordHeader[] {
    const block = this.#headers === null ? null : this.#headers.bytes(index);
    return block === null ? NO_HEADERS : decodeHeaders(block);
  }
}

function checkHeader(bytes: Buffer, view: DataView): void {
  if (bytes.length < HEADER_BYTES) throw corrupt(`it has ${bytes.length} bytes, fewer than its header`);
  if (view.getUint32(0, true) !== MAGIC) throw corrupt('it does not begin with the mark of a batch');
  const version = view.getUint8(4);
  if (version !== VERSION) {
    throw new LogError(
      'LOG_CORRUPT',
      `a batch has format version ${version}; this release reads ${VERSION}: was it written by a newer one?`,
    );
  }
  if (view.getUint32(8, true) === 0) throw corrupt('it has no records');
}

function checkSum(bytes: Buffer, view: DataView): void {
  const rest = crc32(bytes.subarray(16), crc32(ZERO_CRC, crc32(bytes.subarray(0, 12))));
  if (rest !== view.getUint32(12, true)) throw corrupt('its checksum does not match');
}

const ZERO_CRC = new Uint8Array(4);

function corrupt(what: string): LogError {
  return new LogError(
    'LOG_CORRUPT',
    `a batch is damaged: ${what}. The storage under the log changed it; restore the log from a copy, or skip the batch by an offset behind it`,
  );
}
