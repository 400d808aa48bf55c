/**
 * One followed path. It reads the file that has the path; when that is renamed away it is read to its end first, then
 * those that had the path in between, then the one that has it now.
 */
import type { Stats } from 'node:fs';
import { ConfigError, type JsonObject } from '../../sdk/index.js';
import { statOrNull } from './fs-calls.js';
import type { TailShared } from './known-files.js';
import { lineTooLong, type Chunk } from './line-cutter.js';
import { lastLineStart } from './last-line.js';
import { LongLine } from './long-line.js';
import { OpenFile } from './open-file.js';
import { identityOf, inodeKey, sameInode, type DurablePosition, type Finished } from './origin.js';
import { resumePlace } from './resume.js';
import { madeAfter, rotatedSiblings, type Sibling } from './siblings.js';

const NEWLINE = 10;
const MAX_FINISHED = 32;

export type ReadResult =
  | { readonly kind: 'chunk'; readonly chunk: Chunk; readonly more: boolean }
  /** Nothing to pass on yet, but reading again may give something. */
  | { readonly kind: 'again' }
  /** The line is longer than the buffer: read again with one of at least this size. */
  | { readonly kind: 'grow'; readonly bytes: number }
  | { readonly kind: 'end' };

export class Tail {
  readonly path: string;
  readonly partition: JsonObject;
  readonly #shared: TailShared;
  /** The user named this path: whatever stands there must be a file. */
  readonly #given: boolean;
  #file: OpenFile | null = null;
  /** What is to be done before the first look; kept until it succeeds. */
  #start: (() => Promise<void>) | null = null;
  /** Where the next line to cut begins. */
  #next = 0;
  /** Bytes before this were read; those from `#next` on hold no line end. */
  #seen = 0;
  #long: LongLine | null = null;
  #mtimeMs = 0;
  #grewAt = 0;
  #rotatedAt: number | null = null;
  /** The unterminated end of the file is to be passed on. */
  #flushing = false;
  /** Where an unterminated line was passed on: a line end that follows at once belongs to it. */
  #flushedAt: number | null = null;

  constructor(path: string, given: boolean, shared: TailShared) {
    this.path = path;
    this.partition = { file: path };
    this.#given = given;
    this.#shared = shared;
  }

  get isOpen(): boolean {
    return this.#file !== null;
  }

  /** Where to start: at a durable position, at the end, or where `look` finds the file. */
  async begin(durable: DurablePosition | null, atEnd: boolean): Promise<void> {
    if (durable !== null) this.#start = () => this.#resume(durable);
    else if (atEnd) this.#start = () => this.#startAtEnd();
    await this.#started();
    if (this.#file === null) await this.#openPath();
  }

  /** Whether there is something to read. Notices growth, truncation and rotation. */
  async look(): Promise<boolean> {
    await this.#started();
    if (this.#file === null) await this.#openPath();
    for (;;) {
      const file = this.#file;
      if (file === null) return false;
      const at = await statOrNull(this.path);
      const inPlace = at !== null && sameInode(file, at);
      const stats = inPlace ? at : await file.stats();
      if (stats.size < this.#seen) this.#restart(file, 'it became shorter');
      else if (stats.size === this.#seen && stats.mtimeMs !== this.#mtimeMs && !(await file.isSame())) {
        this.#restart(file, 'it has new content');
      }
      this.#mtimeMs = stats.mtimeMs;
      if (stats.size > this.#seen) return true;
      if (inPlace) {
        this.#rotatedAt = null;
        return this.#partialIsDue();
      }
      const next = await this.#afterRotation(file, stats, at);
      if (next !== 'switched') return next === 'flush';
    }
  }

  /** The next piece. `buffer` must not be touched until the chunk was cut. */
  async read(buffer: Buffer): Promise<ReadResult> {
    const file = this.#file;
    if (file === null) return { kind: 'end' };
    const from = this.#long === null ? this.#next : this.#long.scanned;
    const bytes = await file.read(buffer, from);
    if (bytes === null) {
      this.#restart(file, 'it has new content');
      return { kind: 'again' };
    }
    const end = from + bytes;
    if (end > this.#seen) this.#grewAt = this.#shared.now();
    this.#seen = Math.max(this.#seen, end);
    const full = bytes === buffer.length;
    return this.#long === null
      ? this.#lines(file, buffer, bytes, full)
      : this.#restOfLong(file, this.#long, buffer, bytes, full);
  }

  close(): void {
    const file = this.#file;
    if (file === null) return;
    this.#file = null;
    this.#shared.open.delete(file.key);
    file.close();
  }

  async #started(): Promise<void> {
    await this.#start?.();
    this.#start = null;
  }

  async #resume(durable: DurablePosition): Promise<void> {
    const place = await resumePlace(this.path, durable, this.#shared.log);
    if (place !== null) await this.#open(place.path, place.position, durable.origin?.finished ?? []);
  }

  /** At the last line start: what is there already is not wanted, but a line that is being written is. */
  async #startAtEnd(): Promise<void> {
    await this.#openPath();
    const file = this.#file;
    if (file === null || this.#next > 0) return;
    const { size } = await file.stats();
    this.#setNext(await lastLineStart(file, size, this.#shared.settings.maxLineBytes));
  }

  #lines(file: OpenFile, buffer: Buffer, bytes: number, full: boolean): ReadResult {
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
      return { kind: 'chunk', chunk: this.#chunk(file, buffer, start, end, base, null), more: full };
    }
    const { maxLineBytes } = this.#shared.settings;
    // One byte more may be the first of a line end.
    if (bytes > maxLineBytes + 1) return this.#beginLong(buffer.subarray(0, bytes));
    if (full) return { kind: 'grow', bytes: Math.min(buffer.length * 2, maxLineBytes + 2) };
    if (!this.#flushing || bytes === 0) return { kind: 'end' };
    this.#flushing = false;
    this.#next = base + bytes;
    this.#flushedAt = this.#next;
    return { kind: 'chunk', chunk: this.#chunk(file, buffer, 0, bytes, base, this.#next), more: false };
  }

  #beginLong(bytes: Buffer): ReadResult {
    const { onLongLine, maxLineBytes, latin1 } = this.#shared.settings;
    if (onLongLine === 'fail') throw lineTooLong(this.path, this.#next, maxLineBytes);
    this.#long = new LongLine(
      this.#next,
      bytes,
      onLongLine === 'skip' ? null : { bytes: maxLineBytes, latin1 },
    );
    return { kind: 'again' };
  }

  #restOfLong(file: OpenFile, long: LongLine, buffer: Buffer, bytes: number, full: boolean): ReadResult {
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
      this.#shared.onOmittedLong(this.path, end);
      return { kind: 'again' };
    }
    return {
      kind: 'chunk',
      chunk: this.#chunk(file, long.kept, 0, long.kept.length, long.start, end),
      more: true,
    };
  }

  #chunk(
    file: OpenFile,
    buffer: Buffer,
    start: number,
    end: number,
    base: number,
    loneEnd: number | null,
  ): Chunk {
    return {
      path: this.path,
      partition: this.partition,
      origin: file.origin,
      buffer,
      start,
      end,
      base,
      loneEnd,
    };
  }

  /** `from` null: where it was left under another name, else its beginning. False when another tail reads it. */
  async #open(path: string, from: number | null, finished: readonly Finished[]): Promise<boolean> {
    const { file, stats } = await OpenFile.open(path, finished);
    if (!stats.isFile() || this.#shared.open.has(file.key)) {
      file.close();
      return false;
    }
    this.#shared.open.add(file.key);
    this.#file = file;
    this.#rotatedAt = null;
    this.#setNext(from ?? this.#shared.known.position(file, file.head, stats.size) ?? 0);
    return true;
  }

  #setNext(position: number): void {
    this.#next = position;
    this.#seen = position;
    this.#long = null;
    this.#flushing = false;
    this.#flushedAt = null;
    this.#grewAt = this.#shared.now();
  }

  #restart(file: OpenFile, why: string): void {
    const unread = this.#seen - this.#next;
    this.#shared.log.info(`reading a file from its beginning again: ${why}`, {
      file: this.path,
      position: this.#next,
      unread,
    });
    file.restart();
    this.#setNext(0);
  }

  /** Opens what has the path now, if there is something and no other tail reads it. */
  async #openPath(): Promise<void> {
    const at = await statOrNull(this.path);
    if (at?.isFile() === true) await this.#open(this.path, null, []);
    if (at === null || at.isFile() || !this.#given) return;
    const what = at.isDirectory()
      ? `a folder: to follow the files in it use "files" with a pattern, like ${this.path}/*`
      : 'not a regular file: pipes, sockets and devices have no positions to resume from';
    throw new ConfigError(`${this.path} is ${what}`, { code: 'FILE_NOT_A_FILE', field: 'file' });
  }

  #partialIsDue(): boolean {
    const { flushPartialMs } = this.#shared.settings;
    if (flushPartialMs === null || this.#seen === this.#next) return false;
    if (this.#shared.now() - this.#grewAt < flushPartialMs) return false;
    this.#flushing = true;
    return true;
  }

  /** At the end of a file that no longer has the path: wait, pass on its last line, or go on to the next file. */
  async #afterRotation(
    file: OpenFile,
    stats: Stats,
    at: Stats | null,
  ): Promise<'wait' | 'flush' | 'switched'> {
    const now = this.#shared.now();
    this.#rotatedAt ??= now;
    if (now - Math.max(this.#rotatedAt, this.#grewAt) < this.#shared.settings.rotateWaitMs) return 'wait';
    const siblings = await rotatedSiblings(this.path);
    const next = this.#successor(file, stats, at, siblings);
    const deleted = at === null && stats.nlink === 0;
    if (next === null && !deleted) return 'wait';
    if (this.#seen > this.#next) {
      this.#flushing = true;
      return 'flush';
    }
    const finished = this.#finish(file, siblings);
    if (next === null) return 'wait';
    // The first look may find it taken by another tail; it is tried again then.
    await this.#open(next, null, finished);
    return this.isOpen ? 'switched' : 'wait';
  }

  /** Where reading goes on after this file; null when nowhere yet. */
  #successor(file: OpenFile, stats: Stats, at: Stats | null, siblings: readonly Sibling[]): string | null {
    const { open, isFollowed } = this.#shared;
    const done = new Set((file.origin.finished ?? []).map(inodeKey));
    const [between] = madeAfter(stats, siblings).filter((sibling) => {
      const key = inodeKey(identityOf(sibling.stats));
      return (
        !isFollowed(sibling.path) &&
        !open.has(key) &&
        !done.has(key) &&
        !(at !== null && sameInode(identityOf(at), sibling.stats))
      );
    });
    if (between !== undefined) return between.path;
    if (at === null || !at.isFile() || at.size === 0) return null;
    return open.has(inodeKey(identityOf(at))) ? null : this.path;
  }

  /** Closes the file and remembers how far it was read, for as long as it is there under another name. */
  #finish(file: OpenFile, siblings: readonly Sibling[]): readonly Finished[] {
    const { dev, inode, head, headBytes, finished } = file.origin;
    const done: Finished = { dev, inode, head, headBytes, position: this.#next };
    this.#shared.known.note(done);
    this.#shared.log.info('finished a file that was rotated away', { file: this.path, position: this.#next });
    this.close();
    return [...(finished ?? []), done]
      .filter((item) => siblings.some((sibling) => sameInode(item, sibling.stats)))
      .slice(-MAX_FINISHED);
  }
}
