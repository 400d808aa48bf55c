/** One file held open: its identity, and reads that notice when it was emptied and written anew. */
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { closeQuietly, fstat, openForReading, readAt, statOrNull } from '../fs-calls.js';
import {
  HEAD_BYTES,
  hasContent,
  hashHead,
  madeAt,
  readHead,
  type Content,
  type Finished,
  type FileOrigin,
} from './origin.js';
import { encodingOf, TextForm, type Encoding } from './text-form.js';
import { Trail } from './trail.js';

export interface Opened {
  readonly file: OpenFile;
  /** When it was opened. */
  readonly stats: Stats;
}

/** What is said of the text of all files. */
export interface TextSettings {
  readonly encoding: Encoding;
  /** A return ends a line, too. */
  readonly returns: boolean;
}

export class OpenFile {
  readonly fd: number;
  readonly dev: number;
  readonly inode: number;
  /** The name it was opened by. */
  readonly path: string;
  #head: Buffer;
  #headHash: string;
  readonly #trail = new Trail();
  #made: number | null;
  readonly #text: TextSettings;
  #form: TextForm;
  #origin: FileOrigin;

  private constructor(
    fd: number,
    path: string,
    stats: Stats,
    head: Buffer,
    finished: readonly Finished[],
    text: TextSettings,
    made: number | null,
  ) {
    this.fd = fd;
    this.path = path;
    this.dev = stats.dev;
    this.inode = stats.ino;
    this.#head = written(head);
    this.#headHash = hashHead(this.#head);
    this.#made = made;
    this.#text = text;
    this.#form = this.#formOf(head);
    this.#origin = this.#describe(finished);
  }

  /** `finished`: what its positions are to say about earlier files of the same path. */
  static async open(path: string, finished: readonly Finished[], text: TextSettings): Promise<Opened> {
    const fd = await openForReading(path);
    try {
      const stats = await fstat(fd);
      return {
        file: new OpenFile(fd, path, stats, await readHead(fd), finished, text, await madeWhen(path, stats)),
        stats,
      };
    } catch (error) {
      closeQuietly(fd);
      throw error;
    }
  }

  get origin(): FileOrigin {
    return this.#origin;
  }

  get form(): TextForm {
    return this.#form;
  }

  stats(): Promise<Stats> {
    return fstat(this.fd);
  }

  /** Of a file that was opened when it had just been made, only later looks say when that was. */
  learn(stats: Stats): void {
    if (this.#made !== null) return;
    this.#made = madeAt(stats);
    if (this.#made !== null) this.#origin = this.#describe(this.#origin.finished ?? []);
  }

  close(): void {
    closeQuietly(this.fd);
  }

  /** Bytes read, or null when the file no longer holds what it did: what was read is then of another content. */
  async read(into: Buffer, position: number): Promise<number | null> {
    const bytes = await readAt(this.fd, into, 0, into.length, position);
    const head = position === 0 ? into.subarray(0, Math.min(bytes, HEAD_BYTES)) : await readHead(this.fd);
    return (await this.#isSame(head)) ? bytes : null;
  }

  /** Reading goes on at `position`, where a line begins. */
  async resume(position: number): Promise<void> {
    await this.#trail.resume(this.fd, position);
    this.#origin = this.#describe(this.#origin.finished ?? []);
  }

  /** Whole lines, from `at` on, are passed on: positions behind them say how they end. */
  passed(lines: Buffer, at: number): void {
    this.#trail.follow(lines, at);
    this.#origin = this.#describe(this.#origin.finished ?? []);
  }

  holds(content: Content): Promise<boolean> {
    return hasContent(this.fd, content, this.#head);
  }

  /** Whether a return stands before `position`: a newline there belongs to the line before. */
  async isAfterReturn(position: number): Promise<boolean> {
    const { unit } = this.#form;
    if (position < unit) return false;
    const last = Buffer.alloc(unit);
    const bytes = await readAt(this.fd, last, 0, unit, position - unit);
    return this.#form.isReturn(last, 0, bytes);
  }

  async isSame(): Promise<boolean> {
    return this.#isSame(await readHead(this.fd));
  }

  /** Whether of all that is known of what was read the last line alone has changed. */
  async lastLineGone(): Promise<boolean> {
    const line = await this.#trail.lastLineGone(this.fd);
    if (line === null) return false;
    const length = Math.min(line, this.#head.length);
    return (await readHead(this.fd)).subarray(0, length).equals(this.#head.subarray(0, length));
  }

  /** The content is new: forget how it began. */
  restart(): void {
    this.#head = Buffer.alloc(0);
    this.#headHash = hashHead(this.#head);
    this.#trail.forget();
    this.#origin = this.#describe(this.#origin.finished ?? []);
  }

  async #isSame(bytes: Buffer): Promise<boolean> {
    const before = this.#head;
    const head = written(bytes);
    if (head.length < before.length || !before.equals(head.subarray(0, before.length))) return false;
    if (!(await this.#trail.isIn(this.fd))) return false;
    if (head.length > before.length) {
      this.#head = Buffer.from(head);
      this.#headHash = hashHead(this.#head);
      this.#form = this.#formOf(head);
      this.#origin = this.#describe(this.#origin.finished ?? []);
    }
    return true;
  }

  #formOf(head: Buffer): TextForm {
    return new TextForm(encodingOf(head, this.#text.encoding), this.#text.returns);
  }

  #describe(finished: readonly Finished[]): FileOrigin {
    const trail = this.#trail.mark;
    const origin: FileOrigin = {
      dev: this.dev,
      inode: this.inode,
      head: this.#headHash,
      headBytes: this.#head.length,
      ...(this.#made === null ? {} : { made: this.#made }),
      ...(trail === null ? {} : { trail }),
    };
    return finished.length === 0 ? origin : { ...origin, finished };
  }
}

/** A file that was written at once when it was made does not show whether the system tells the time; its folder does. */
async function madeWhen(path: string, stats: Stats): Promise<number | null> {
  const made = madeAt(stats);
  if (made !== null || stats.birthtimeMs <= 0) return made;
  const folder = await statOrNull(dirname(path)).catch(() => null);
  return folder !== null && folder.dev === stats.dev && madeAt(folder) !== null ? stats.birthtimeMs : null;
}

/** Without bytes of 0 at the end: a writer may have made room in advance, or left a hole. */
function written(head: Buffer): Buffer {
  let end = head.length;
  while (end > 0 && head[end - 1] === 0) end -= 1;
  return head.subarray(0, end);
}

/** Start of a last line that is not ended yet, or the end of the file. */
export async function lastLineStart(file: OpenFile, size: number, maxLineBytes: number): Promise<number> {
  const space = Buffer.alloc(64 * 1024);
  const { unit } = file.form;
  const whole = size - (size % unit);
  const lowest = Math.max(0, whole - maxLineBytes + (maxLineBytes % unit));
  for (let high = whole; high > lowest;) {
    const low = Math.max(lowest, high - space.length);
    const bytes = await file.read(space.subarray(0, high - low), low);
    if (bytes === null) return 0;
    const past = file.form.pastLast(space, 0, bytes);
    if (past > 0) return low + past;
    high = low;
  }
  return lowest === 0 ? 0 : whole;
}
