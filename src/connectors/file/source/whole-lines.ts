/** What is read of one file, in pieces of whole lines: where the next line begins, and how far it was looked for. */
import type { JsonObject } from '../../../sdk/index.js';
import type { TailShared } from './known-files.js';
import { lineTooLong, wholeCharacters, type Chunk, type Lone } from './line-cutter.js';
import type { FileOrigin } from './origin.js';

const NEWLINE = 10;
const RETURN = 13;

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
  /** The unterminated end of the file is to be passed on. `partial`: more of it may come. */
  #flushing: 'partial' | 'final' | null = null;
  /** Where an unterminated line was passed on: a line end that follows at once belongs to it. */
  #flushedAt: number | null = null;
  /** What `seen` was when bytes at the end were held back: they wait for those that follow. */
  #heldBackAt: number | null = null;

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

  /** The line before `next` was passed on without its line end. */
  get afterPartial(): boolean {
    return this.#flushedAt === this.#next;
  }

  /** Where to read what `take` wants. */
  get readFrom(): number {
    return this.#long === null ? this.#next : this.#long.scanned;
  }

  /** `afterPartial`: the line before `position` was passed on without its line end. */
  startAt(position: number, afterPartial = false): void {
    this.#next = position;
    this.#seen = position;
    this.#long = null;
    this.#flushing = null;
    this.#flushedAt = afterPartial ? position : null;
    this.#heldBackAt = null;
    this.#grewAt = this.#shared.now();
  }

  /** The next `take` passes on an unfinished line, to the last byte: nothing will follow it. */
  flush(): void {
    this.#flushing = 'final';
  }

  /** Whether an unfinished line has waited long enough; it is then flushed. */
  partialIsDue(): boolean {
    const { flushPartialMs } = this.#shared.settings;
    if (flushPartialMs === null || !this.unfinished || this.#heldBackAt === this.#seen) return false;
    if (this.#shared.now() - this.#grewAt < flushPartialMs) return false;
    this.#flushing = 'partial';
    return true;
  }

  /** The first `bytes` of the buffer were read at `readFrom`. */
  take(origin: FileOrigin, buffer: Buffer, bytes: number): ReadResult {
    const end = this.readFrom + bytes;
    if (end > this.#seen) this.#grewAt = this.#shared.now();
    this.#seen = Math.max(this.#seen, end);
    const full = bytes === buffer.length;
    return this.#long === null
      ? this.#wholeLines(origin, buffer, bytes, full)
      : this.#restOfLong(origin, this.#long, buffer, bytes, full);
  }

  #wholeLines(origin: FileOrigin, buffer: Buffer, bytes: number, full: boolean): ReadResult {
    const base = this.#next;
    const start = this.#flushedAt === base ? lineEndBytes(buffer.subarray(0, bytes)) : 0;
    const end = bytes === 0 ? 0 : buffer.lastIndexOf(NEWLINE, bytes - 1) + 1;
    if (end > 0) {
      this.#next = base + end;
      this.#flushing = null;
      if (start === end) return { kind: 'again' };
      return { kind: 'chunk', chunk: this.#chunk(origin, buffer, start, end, base, null), more: full };
    }
    const { maxLineBytes } = this.#shared.settings;
    // One byte more may be the first of a line end.
    if (bytes > maxLineBytes + 1) return this.#beginLong(buffer.subarray(0, bytes));
    if (full) return { kind: 'grow', bytes: Math.min(buffer.length * 2, maxLineBytes + 2) };
    return this.#flush(origin, buffer.subarray(0, bytes));
  }

  #flush(origin: FileOrigin, bytes: Buffer): ReadResult {
    const flushing = this.#flushing;
    this.#flushing = null;
    if (flushing === null) return { kind: 'end' };
    const held = flushing === 'final' ? 0 : unfinishedBytes(bytes, this.#shared.settings.latin1);
    if (held > 0) this.#heldBackAt = this.#seen;
    const end = bytes.length - held;
    if (end === 0) return { kind: 'end' };
    const base = this.#next;
    this.#next = base + end;
    this.#flushedAt = this.#next;
    const lone = { position: this.#next, partial: true };
    return { kind: 'chunk', chunk: this.#chunk(origin, bytes, 0, end, base, lone), more: false };
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

  #restOfLong(origin: FileOrigin, long: LongLine, buffer: Buffer, bytes: number, full: boolean): ReadResult {
    const newline = buffer.subarray(0, bytes).indexOf(NEWLINE);
    if (newline < 0 && (this.#flushing === null || full)) {
      long.scanned += bytes;
      return { kind: full ? 'again' : 'end' };
    }
    const partial = newline < 0;
    const end = long.scanned + (partial ? bytes : newline + 1);
    this.#long = null;
    this.#flushing = null;
    this.#next = end;
    if (partial) this.#flushedAt = end;
    // What follows the line was read but not looked at.
    this.#seen = end;
    if (long.kept === null) {
      this.#shared.onOmittedLong(this.#path, end);
      return { kind: 'again' };
    }
    return {
      kind: 'chunk',
      chunk: this.#chunk(origin, long.kept, 0, long.kept.length, long.start, { position: end, partial }),
      more: true,
    };
  }

  #chunk(
    origin: FileOrigin,
    buffer: Buffer,
    start: number,
    end: number,
    base: number,
    lone: Lone | null,
  ): Chunk {
    return {
      path: this.#path,
      partition: this.#partition,
      origin,
      buffer,
      start,
      end,
      base,
      lone,
    };
  }
}

/** A line longer than allowed, whose end is not known yet: its beginning is kept, the rest is passed over. */
class LongLine {
  /** Where the line begins in the file. */
  readonly start: number;
  /** null: the line is to be left out. */
  readonly kept: Buffer | null;
  /** Bytes of the file before this were looked at and hold no line end. */
  scanned: number;

  /** `bytes` holds the beginning of the line and at least one byte more than is kept. */
  constructor(
    start: number,
    bytes: Buffer,
    keep: { readonly bytes: number; readonly latin1: boolean } | null,
  ) {
    this.start = start;
    this.scanned = start + bytes.length;
    if (keep === null) this.kept = null;
    else
      this.kept = Buffer.from(
        bytes.subarray(0, keep.latin1 ? keep.bytes : wholeCharacters(bytes, 0, keep.bytes)),
      );
  }
}

/** Bytes of a line end at the beginning; 0 when there is none, or not all of it. */
function lineEndBytes(bytes: Buffer): number {
  if (bytes[0] === NEWLINE) return 1;
  return bytes[0] === RETURN && bytes[1] === NEWLINE ? 2 : 0;
}

/** Bytes at the end that may be the beginning of a line end, or of a character. */
function unfinishedBytes(bytes: Buffer, latin1: boolean): number {
  if (bytes.at(-1) === RETURN) return 1;
  if (latin1) return 0;
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes.at(-back) ?? 0;
    if ((byte & 0xc0) !== 0x80) return back < characterBytes(byte) ? back : 0;
  }
  return 0;
}

/** Of the UTF-8 character that begins with this byte; 1 when none does. */
function characterBytes(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}
