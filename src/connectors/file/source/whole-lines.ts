/** What is read of one file, in pieces of whole lines: where the next line begins, and how far it was looked for. */
import type { JsonObject } from '../../../sdk/index.js';
import type { TailShared } from './known-files.js';
import { lineTooLong, sourcePosition, type Chunk, type Lone } from './line-cutter.js';
import type { FileOrigin } from './origin.js';
import type { TextForm } from './text-form.js';

/** So many bytes of 0 where a line should begin are no text: more than any encoding has in a character. */
const HOLE_BYTES = 4;

/** What was opened to be read. */
export interface Text {
  readonly origin: FileOrigin;
  readonly form: TextForm;
  /** These whole lines of it, from `at` on, are passed on. */
  passed(lines: Buffer, at: number): void;
}

export type ReadResult =
  | { readonly kind: 'chunk'; readonly chunk: Chunk; readonly more: boolean }
  /** Nothing to pass on yet, but reading again may give something. */
  | { readonly kind: 'again' }
  /** The line is longer than the buffer: read again with one of at least this size. */
  | { readonly kind: 'grow'; readonly bytes: number }
  | { readonly kind: 'end' };

type Shared = Pick<TailShared, 'settings' | 'onOmittedLong' | 'log' | 'now'>;

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
  /** A line before this ended in a return, with nothing after it: a newline that follows at once belongs to it. */
  #returnedAt: number | null = null;
  /** Bytes of 0 between `next` and this were looked at: they are passed over once something follows. */
  #hole: number | null = null;
  #endsInHole = false;
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
    return this.#long?.scanned ?? this.#hole ?? this.#next;
  }

  /** Nothing but bytes of 0 follows: a file that was made longer than it is, or is written behind a gap. */
  get endsInHole(): boolean {
    return this.#endsInHole;
  }

  /**
   * `afterPartial`: the line before `position` was passed on without its line end. `afterReturn`: it may end in the
   * middle of a return with a newline.
   */
  startAt(position: number, afterPartial = false, afterReturn = false): void {
    this.#next = position;
    this.#seen = position;
    this.#long = null;
    this.#flushing = null;
    this.#flushedAt = afterPartial ? position : null;
    this.#returnedAt = afterReturn ? position : null;
    this.#hole = null;
    this.#endsInHole = false;
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
  take(text: Text, buffer: Buffer, bytes: number): ReadResult {
    const end = this.readFrom + bytes;
    if (end > this.#seen) this.#grewAt = this.#shared.now();
    this.#seen = Math.max(this.#seen, end);
    this.#endsInHole = false;
    const full = bytes === buffer.length;
    if (this.#long !== null) return this.#restOfLong(text, this.#long, buffer, bytes, full);
    if (this.#hole !== null || (bytes > 0 && buffer[0] === 0)) {
      const result = this.#passHole(text, buffer, bytes, full);
      if (result !== null) return result;
    }
    return this.#wholeLines(text, buffer, bytes, full);
  }

  /**
   * A program that goes on writing where it was, after its file was emptied, leaves a hole that reads as bytes of 0. At
   * the end of the file they are waited at: something may still be written there. null: it is no hole.
   */
  #passHole({ form }: Text, buffer: Buffer, bytes: number, full: boolean): ReadResult | null {
    const from = this.#hole ?? this.#next;
    const zeros = leadingZeros(buffer, bytes);
    const end = from + zeros - (zeros % form.unit);
    if (zeros === bytes && full) {
      this.#hole = end;
      return { kind: 'again' };
    }
    this.#hole = null;
    if (zeros === bytes && this.#flushing !== 'final') {
      this.#flushing = null;
      this.#heldBackAt = this.#seen;
      this.#endsInHole = true;
      return { kind: 'end' };
    }
    if (end - this.#next < HOLE_BYTES && zeros < bytes) return null;
    this.#shared.log.info(
      'passed over bytes of 0: the file was emptied while its writer went on where it was',
      {
        file: this.#path,
        position: this.#next,
        bytes: end - this.#next,
      },
    );
    this.#next = zeros === bytes ? this.#seen : end;
    this.#flushing = null;
    return { kind: 'again' };
  }

  #wholeLines(text: Text, buffer: Buffer, bytes: number, full: boolean): ReadResult {
    const { form } = text;
    const base = this.#next;
    const start = this.#endOfLineBefore(form, buffer, bytes);
    const end = Math.max(start, form.pastLast(buffer, 0, bytes));
    if (end > 0) {
      this.#next = base + end;
      this.#flushing = null;
      if (form.isReturn(buffer, end - form.unit, end)) this.#returnedAt = this.#next;
      if (start === end) return { kind: 'again' };
      text.passed(buffer.subarray(0, end), base);
      return { kind: 'chunk', chunk: this.#chunk(text, buffer, start, end, base, null), more: full };
    }
    const { maxLineBytes } = this.#shared.settings;
    // One character more may be the first of a line end.
    if (bytes > maxLineBytes + form.unit) return this.#beginLong(form, buffer.subarray(0, bytes));
    if (full) return { kind: 'grow', bytes: Math.min(buffer.length * 2, maxLineBytes + 2 * form.unit) };
    return this.#flush(text, buffer.subarray(0, bytes));
  }

  /** Bytes at the beginning that belong to a line that was passed on before. */
  #endOfLineBefore(form: TextForm, buffer: Buffer, bytes: number): number {
    if (this.#flushedAt === this.#next) return form.lineEndBytes(buffer, 0, bytes);
    return this.#returnedAt === this.#next && form.isNewline(buffer, 0, bytes) ? form.unit : 0;
  }

  #flush(text: Text, bytes: Buffer): ReadResult {
    const flushing = this.#flushing;
    this.#flushing = null;
    if (flushing === null) return { kind: 'end' };
    const held = flushing === 'final' ? 0 : text.form.unfinishedBytes(bytes);
    if (held > 0) this.#heldBackAt = this.#seen;
    const end = bytes.length - held;
    if (end === 0) return { kind: 'end' };
    const base = this.#next;
    this.#next = base + end;
    this.#flushedAt = this.#next;
    const lone = { position: this.#next, partial: true };
    return { kind: 'chunk', chunk: this.#chunk(text, bytes, 0, end, base, lone), more: false };
  }

  #beginLong(form: TextForm, bytes: Buffer): ReadResult {
    const { onLongLine, maxLineBytes, tolerant } = this.#shared.settings;
    if (onLongLine === 'fail' && !tolerant) {
      // There is something to read still, and it is this.
      this.#seen = this.#next;
      throw lineTooLong(this.#path, this.#next, maxLineBytes);
    }
    this.#long = new LongLine(
      this.#next,
      bytes,
      onLongLine !== 'truncate' ? null : form.wholeCharacters(bytes, 0, maxLineBytes),
    );
    return { kind: 'again' };
  }

  #restOfLong(text: Text, long: LongLine, buffer: Buffer, bytes: number, full: boolean): ReadResult {
    const { form } = text;
    const past = form.pastFirst(buffer, 0, bytes);
    if (past < 0 && (this.#flushing === null || full)) {
      // Of a character that was read in part, the rest comes with what follows.
      long.scanned += bytes - (bytes % form.unit);
      return { kind: full ? 'again' : 'end' };
    }
    const partial = past < 0;
    const end = long.scanned + (partial ? bytes : past);
    this.#long = null;
    this.#flushing = null;
    this.#next = end;
    if (partial) this.#flushedAt = end;
    else if (form.isReturn(buffer, past - form.unit, past)) this.#returnedAt = end;
    // What follows the line was read but not looked at.
    this.#seen = end;
    if (long.kept === null) {
      const { onLongLine, maxLineBytes } = this.#shared.settings;
      const position = sourcePosition(end, text.origin, partial);
      if (onLongLine === 'fail')
        throw lineTooLong(this.#path, long.start, maxLineBytes, { partition: this.#partition, position });
      this.#shared.onOmittedLong(this.#path, end);
      return { kind: 'again' };
    }
    return {
      kind: 'chunk',
      chunk: this.#chunk(text, long.kept, 0, long.kept.length, long.start, { position: end, partial }),
      more: true,
    };
  }

  #chunk(
    { origin, form }: Pick<Text, 'origin' | 'form'>,
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
      form,
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

  /** `bytes` holds the beginning of the line and at least one byte more than the `keep` that are kept. */
  constructor(start: number, bytes: Buffer, keep: number | null) {
    this.start = start;
    // A character may have been read in part.
    this.scanned = start + bytes.length - (bytes.length % 2);
    this.kept = keep === null ? null : Buffer.from(bytes.subarray(0, keep));
  }
}

function leadingZeros(buffer: Buffer, bytes: number): number {
  let at = 0;
  while (at < bytes && buffer[at] === 0) at += 1;
  return at;
}
