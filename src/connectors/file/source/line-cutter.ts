/** Pieces of files → records. This is the record path: what is done here is done once a line. */
import { isAscii } from 'node:buffer';
import {
  DataError,
  NO_HEADERS,
  parseJson,
  STRING_SCHEMA,
  type JsonObject,
  type PluginLogger,
  type Schema,
  type SourceRecord,
} from '../../../sdk/index.js';
import type { FileOrigin } from './origin.js';
import type { SourceNotes } from './source-notes.js';
import type { SourceSettings } from './source-settings.js';
import type { TextForm } from './text-form.js';

/** Bytes of one file, from one line start to one line end. */
export interface Chunk {
  readonly path: string;
  readonly partition: JsonObject;
  readonly origin: FileOrigin;
  readonly form: TextForm;
  readonly buffer: Buffer;
  readonly start: number;
  /** After the last line end; or after the text, when `lone` is not null. */
  readonly end: number;
  /** Position in the file of `buffer[0]`. */
  readonly base: number;
  /** Not null: the bytes are one line without its line end. */
  readonly lone: Lone | null;
}

export interface Lone {
  /** After the line, and its line end if that is known. */
  readonly position: number;
  /** The line end may follow. */
  readonly partial: boolean;
}

/**
 * Text is decoded in pieces of about this many bytes. Larger strings leave V8's young generation for freshly mapped
 * memory, which costs many times more.
 */
const PIECE_BYTES = 60_000;
const REPORT_EVERY_MS = 10_000;
const NEWLINE = 10;
const RETURN = 13;

type CutterSettings = Pick<
  SourceSettings,
  'topic' | 'json' | 'onBadLine' | 'onLongLine' | 'maxLineBytes' | 'skipEmptyLines'
>;

export class LineCutter {
  readonly #settings: CutterSettings;
  readonly #omitted: Omissions;
  readonly #schema: Schema | null;
  #chunk: Chunk | null = null;
  /** The piece at hand: its text, and where the next line begins in it and in the buffer. */
  #text = '';
  #at = 0;
  #byteAt = 0;
  /** Bytes of a character, where all have as many: places in the text and in the buffer move together. Else 0. */
  #width: 0 | 1 | 2 = 1;

  constructor(settings: CutterSettings, log: PluginLogger, notes: Pick<SourceNotes, 'happened'>) {
    this.#settings = settings;
    this.#omitted = new Omissions(log, notes);
    this.#schema = settings.json ? null : STRING_SCHEMA;
  }

  /** Only when `done`. */
  load(chunk: Chunk): void {
    this.#chunk = chunk;
    this.#text = '';
    this.#at = 0;
    this.#byteAt = chunk.start;
    this.#width = 1;
  }

  get done(): boolean {
    return this.#chunk === null;
  }

  drop(): void {
    this.#chunk = null;
    this.#text = '';
  }

  /**
   * Up to `max` records. Throws DataError at a line that must not be passed, once those before it were taken. It goes on
   * behind a bad line when it is called again: whether that is tolerated is decided elsewhere.
   */
  take(max: number): SourceRecord[] {
    const out: SourceRecord[] = [];
    const chunk = this.#chunk;
    if (chunk === null) return out;
    if (chunk.lone !== null) {
      const text = this.#decode(chunk, chunk.start, chunk.end);
      this.drop();
      this.#add(out, chunk, withoutMark(text, chunk, chunk.start), chunk.lone.position);
      return out;
    }
    while (out.length < max) {
      if (this.#at >= this.#text.length && !this.#nextPiece(chunk)) {
        this.drop();
        break;
      }
      if (!this.#cut(chunk, out, max)) break;
    }
    return out;
  }

  #nextPiece(chunk: Chunk): boolean {
    const start = this.#byteAt;
    if (start >= chunk.end) return false;
    const { buffer, form } = chunk;
    let end = chunk.end;
    if (end - start > PIECE_BYTES) {
      end = form.pastLast(buffer, start, start + PIECE_BYTES);
      if (end === start) end = form.pastFirst(buffer, start, chunk.end);
      else if (form.isNewline(buffer, end, chunk.end) && form.isReturn(buffer, end - form.unit, end))
        end += form.unit;
    }
    this.#text = this.#decode(chunk, start, end);
    this.#at = 0;
    if (hasMark(this.#text, chunk, start)) {
      this.#at = 1;
      if (this.#width === 2) this.#byteAt += 2;
    }
    return true;
  }

  #decode({ form, buffer }: Chunk, start: number, end: number): string {
    if (form.encoding === 'utf-8' && isAscii(buffer.subarray(start, end))) {
      this.#width = 1;
      return buffer.toString('latin1', start, end);
    }
    this.#width = form.encoding === 'utf-8' ? 0 : form.unit;
    return form.decode(buffer, start, end);
  }

  /** Lines of the piece at hand. False: stop here and hand over what there is. */
  #cut(chunk: Chunk, out: SourceRecord[], max: number): boolean {
    const { maxLineBytes } = this.#settings;
    const { buffer, base, form } = chunk;
    const text = this.#text;
    const width = this.#width;
    let at = this.#at;
    let byteAt = this.#byteAt;
    let more = true;
    let newline = -1;
    let ret = -1;
    while (out.length < max && at < text.length) {
      if (newline < at) newline = placeOf('\n', text, at);
      if (form.returns && ret < at) ret = placeOf('\r', text, at);
      const both = newline > at && text.charCodeAt(newline - 1) === RETURN;
      const end = form.returns ? Math.min(ret, newline) : both ? newline - 1 : newline;
      const byteEnd =
        width > 0
          ? byteAt + (end - at) * width
          : end === ret
            ? buffer.indexOf(RETURN, byteAt)
            : buffer.indexOf(NEWLINE, byteAt) - (newline - end);
      const ends = end === newline - 1 ? 2 : 1;
      const next = byteEnd + ends * form.unit;
      // Where to go on after a bad line.
      this.#at = end + ends;
      this.#byteAt = next;
      more =
        byteEnd - byteAt > maxLineBytes
          ? this.#addLong(out, chunk, byteAt, base + next)
          : this.#add(out, chunk, text.slice(at, end), base + next);
      if (!more) break;
      at = end + ends;
      byteAt = next;
    }
    this.#at = at;
    this.#byteAt = byteAt;
    return more;
  }

  #add(out: SourceRecord[], chunk: Chunk, line: string, position: number): boolean {
    const settings = this.#settings;
    if (line.length === 0 && settings.skipEmptyLines) return true;
    let value: unknown = line;
    if (settings.json) {
      try {
        value = parseJson(line);
      } catch (error) {
        if (isBlank(line)) return true;
        // Only of a DataError: the parser's message quotes the line.
        const why = error instanceof DataError ? `cannot be read: ${error.message}` : 'is not JSON';
        if (settings.onBadLine === 'fail') {
          if (out.length > 0) return false;
          throw badLine(chunk, position, why, this.#sourcePosition(chunk, position));
        }
        if (settings.onBadLine === 'skip') {
          this.#omitted.add('FILE_BAD_LINE', chunk.path, position);
          return true;
        }
      }
    }
    this.#push(out, chunk, value, position);
    return true;
  }

  #addLong(out: SourceRecord[], chunk: Chunk, start: number, position: number): boolean {
    const { onLongLine, maxLineBytes } = this.#settings;
    if (onLongLine === 'fail') {
      if (out.length > 0) return false;
      throw lineTooLong(chunk.path, chunk.base + start, maxLineBytes, {
        partition: chunk.partition,
        position: this.#sourcePosition(chunk, position),
      });
    }
    if (onLongLine === 'skip') {
      this.omitLong(chunk.path, position);
      return true;
    }
    const { buffer, form } = chunk;
    const line = form.decode(buffer, start, form.wholeCharacters(buffer, start, start + maxLineBytes));
    return this.#add(out, chunk, withoutMark(line, chunk, start), position);
  }

  omitLong(path: string, position: number): void {
    this.#omitted.add('FILE_LINE_TOO_LONG', path, position);
  }

  /** One shape for all records: the fields in the order of the SDK's `sourceRecord`. */
  #push(out: SourceRecord[], chunk: Chunk, value: unknown, position: number): void {
    out.push({
      topic: this.#settings.topic,
      queue: null,
      keySchema: null,
      key: null,
      valueSchema: this.#schema,
      value,
      timestamp: null,
      headers: NO_HEADERS,
      sourcePartition: chunk.partition,
      sourcePosition: this.#sourcePosition(chunk, position),
    });
  }

  #sourcePosition({ lone, origin }: Chunk, position: number): JsonObject {
    return sourcePosition(position, origin, lone?.partial === true);
  }
}

/** `partial`: the line before it was passed on, or left out, without its line end. */
export function sourcePosition(position: number, file: FileOrigin, partial: boolean): JsonObject {
  return partial ? { position, file, partial } : { position, file };
}

/** Whether a text that begins at `start` of the buffer begins with the byte order mark of the file. */
function hasMark(text: string, { base }: Chunk, start: number): boolean {
  return base + start === 0 && text.startsWith('\uFEFF');
}

function withoutMark(text: string, chunk: Chunk, start: number): string {
  return hasMark(text, chunk, start) ? text.slice(1) : text;
}

/** Well beyond the text when it does not occur. */
function placeOf(char: string, text: string, from: number): number {
  const at = text.indexOf(char, from);
  return at < 0 ? text.length + 1 : at;
}

/** `skipTo`: where its end is known. */
export function lineTooLong(
  path: string,
  position: number,
  maxLineBytes: number,
  skipTo: DataError['skipTo'] = null,
): DataError {
  return new DataError(
    `the line at byte ${position} of ${path} is longer than max.line.bytes (${maxLineBytes}): raise it, or set on.long.line to truncate or skip`,
    { code: 'FILE_LINE_TOO_LONG', ...(skipTo === null ? {} : { skipTo }) },
  );
}

function isBlank(line: string): boolean {
  return line.trim() === '';
}

/** Without its cause: the parser's message quotes the line. */
function badLine(chunk: Chunk, position: number, why: string, next: JsonObject): DataError {
  return new DataError(
    `the line that ends at byte ${position} of ${chunk.path} ${why}. Correct it, or set on.bad.line to skip or raw`,
    { code: 'FILE_BAD_LINE', skipTo: { partition: chunk.partition, position: next } },
  );
}

const OMITTED = {
  FILE_BAD_LINE: 'left out lines that are not JSON, or hold what cannot be read',
  FILE_LINE_TOO_LONG: 'left out lines longer than max.line.bytes',
};

/** Says in the log what was left out: the first at once, then sums. Never the text itself. */
class Omissions {
  readonly #log: PluginLogger;
  readonly #notes: Pick<SourceNotes, 'happened'>;
  readonly #counts = new Map<string, { count: number; reportedAt: number }>();

  constructor(log: PluginLogger, notes: Pick<SourceNotes, 'happened'>) {
    this.#log = log;
    this.#notes = notes;
  }

  add(what: keyof typeof OMITTED, path: string, position: number): void {
    let entry = this.#counts.get(what);
    if (entry === undefined) this.#counts.set(what, (entry = { count: 0, reportedAt: -Infinity }));
    entry.count += 1;
    this.#notes.happened(what, `before byte ${position} of ${path}`);
    const now = performance.now();
    if (now - entry.reportedAt < REPORT_EVERY_MS) return;
    this.#log.warn(OMITTED[what], { count: entry.count, file: path, before: position });
    entry.reportedAt = now;
    entry.count = 0;
  }
}
