/** What is read of one file, in pieces of whole lines: where the next line begins, and how far it was looked for. */
import type { JsonObject } from '../../sdk/index.js';
import type { TailShared } from './known-files.js';
import { lineTooLong, type Chunk } from './line-cutter.js';
import { LongLine } from './long-line.js';
import type { Origin } from './origin.js';

const NEWLINE = 10;

export type ReadResult =
  | { readonly kind: 'chunk'; readonly chunk: Chunk; readonly more: boolean }
  /** Nothing to pass on yet, but reading again may give something. */
  | { readonly kind: 'again' }
  /** The line is longer than the buffer: read again with one of at least this size. */
  | { readonly kind: 'grow'; readonly bytes: number }
  | { readonly kind: 'end' };

type Shared = Pick<TailShared, 'settings' | 'onOmittedLong' | 'now'>;

export class WholeLines {
  readonly #path: string;
  readonly #partition: JsonObject;
  readonly #shared: Shared;
  #next = 0;
  #seen = 0;
  #grewAt = 0;
  #long: LongLine | null = null;
  /** The unterminated end of the file is to be passed on. */
  #flushing = false;
  /** Where an unterminated line was passed on: a line end that follows at once belongs to it. */
  #flushedAt: number | null = null;

  constructor(path: string, partition: JsonObject, shared: Shared) {
    this.#path = path;
    this.#partition = partition;
    this.#shared = shared;
  }

  /** Where the next line to cut begins. */
  get next(): number {
    return this.#next;
  }

  /** Bytes before this were read; those from `next` on hold no line end. */
  get seen(): number {
    return this.#seen;
  }

  /** When something new was read. */
  get grewAt(): number {
    return this.#grewAt;
  }

  /** There is a line without a line end. */
  get unfinished(): boolean {
    return this.#seen > this.#next;
  }

  /** Where to read what `take` wants. */
  get readFrom(): number {
    return this.#long === null ? this.#next : this.#long.scanned;
  }

  startAt(position: number): void {
    this.#next = position;
    this.#seen = position;
    this.#long = null;
    this.#flushing = false;
    this.#flushedAt = null;
    this.#grewAt = this.#shared.now();
  }

  /** The next `take` passes on an unfinished line. */
  flush(): void {
    this.#flushing = true;
  }

  /** Whether an unfinished line has waited long enough; it is then flushed. */
  partialIsDue(): boolean {
    const { flushPartialMs } = this.#shared.settings;
    if (flushPartialMs === null || !this.unfinished) return false;
    if (this.#shared.now() - this.#grewAt < flushPartialMs) return false;
    this.#flushing = true;
    return true;
  }

  /** The first `bytes` of the buffer were read at `readFrom`. */
  take(origin: Origin, buffer: Buffer, bytes: number): ReadResult {
    const end = this.readFrom + bytes;
    if (end > this.#seen) this.#grewAt = this.#shared.now();
    this.#seen = Math.max(this.#seen, end);
    const full = bytes === buffer.length;
    return this.#long === null
      ? this.#wholeLines(origin, buffer, bytes, full)
      : this.#restOfLong(origin, this.#long, buffer, bytes, full);
  }

  #wholeLines(origin: Origin, buffer: Buffer, bytes: number, full: boolean): ReadResult {
    const base = this.#next;
    let start = 0;
    if (this.#flushedAt === base && bytes > 0) {
      this.#flushedAt = null;
      if (buffer[0] === NEWLINE) start = 1;
    }
    const end = bytes === 0 ? 0 : buffer.lastIndexOf(NEWLINE, bytes - 1) + 1;
    if (end > 0) {
      this.#next = base + end;
      this.#flushing = false;
      if (start === end) return { kind: 'again' };
      return { kind: 'chunk', chunk: this.#chunk(origin, buffer, start, end, base, null), more: full };
    }
    const { maxLineBytes } = this.#shared.settings;
    // One byte more may be the first of a line end.
    if (bytes > maxLineBytes + 1) return this.#beginLong(buffer.subarray(0, bytes));
    if (full) return { kind: 'grow', bytes: Math.min(buffer.length * 2, maxLineBytes + 2) };
    if (!this.#flushing || bytes === 0) return { kind: 'end' };
    this.#flushing = false;
    this.#next = base + bytes;
    this.#flushedAt = this.#next;
    return { kind: 'chunk', chunk: this.#chunk(origin, buffer, 0, bytes, base, this.#next), more: false };
  }

  #beginLong(bytes: Buffer): ReadResult {
    const { onLongLine, maxLineBytes, latin1 } = this.#shared.settings;
    if (onLongLine === 'fail') throw lineTooLong(this.#path, this.#next, maxLineBytes);
    this.#long = new LongLine(
      this.#next,
      bytes,
      onLongLine === 'skip' ? null : { bytes: maxLineBytes, latin1 },
    );
    return { kind: 'again' };
  }

  #restOfLong(origin: Origin, long: LongLine, buffer: Buffer, bytes: number, full: boolean): ReadResult {
    const newline = buffer.subarray(0, bytes).indexOf(NEWLINE);
    if (newline < 0 && !(this.#flushing && !full)) {
      long.scanned += bytes;
      return { kind: full ? 'again' : 'end' };
    }
    const end = long.scanned + (newline < 0 ? bytes : newline + 1);
    this.#long = null;
    this.#flushing = false;
    this.#next = end;
    // What follows the line was read but not looked at.
    this.#seen = end;
    if (long.kept === null) {
      this.#shared.onOmittedLong(this.#path, end);
      return { kind: 'again' };
    }
    return {
      kind: 'chunk',
      chunk: this.#chunk(origin, long.kept, 0, long.kept.length, long.start, end),
      more: true,
    };
  }

  #chunk(
    origin: Origin,
    buffer: Buffer,
    start: number,
    end: number,
    base: number,
    loneEnd: number | null,
  ): Chunk {
    return {
      path: this.#path,
      partition: this.#partition,
      origin,
      buffer,
      start,
      end,
      base,
      loneEnd,
    };
  }
}
