/** One file held open: its identity, and reads that notice when it was emptied and written anew. */
import type { Stats } from 'node:fs';
import { closeQuietly, fstat, openForReading, readAt } from '../fs-calls.js';
import {
  HEAD_BYTES,
  hashHead,
  inodeKey,
  madeAt,
  readHead,
  type Finished,
  type FileOrigin,
} from './origin.js';

const NEWLINE = 10;

export interface Opened {
  readonly file: OpenFile;
  /** When it was opened. */
  readonly stats: Stats;
}

export class OpenFile {
  readonly fd: number;
  readonly dev: number;
  readonly inode: number;
  /** The name it was opened by. */
  readonly path: string;
  #head: Buffer;
  #made: number | null;
  #origin: FileOrigin;

  private constructor(fd: number, path: string, stats: Stats, head: Buffer, finished: readonly Finished[]) {
    this.fd = fd;
    this.path = path;
    this.dev = stats.dev;
    this.inode = stats.ino;
    this.#head = head;
    this.#made = madeAt(stats);
    this.#origin = this.#describe(finished);
  }

  /** `finished`: what its positions are to say about earlier files of the same path. */
  static async open(path: string, finished: readonly Finished[]): Promise<Opened> {
    const fd = await openForReading(path);
    try {
      const stats = await fstat(fd);
      return { file: new OpenFile(fd, path, stats, await readHead(fd), finished), stats };
    } catch (error) {
      closeQuietly(fd);
      throw error;
    }
  }

  get head(): Buffer {
    return this.#head;
  }

  get origin(): FileOrigin {
    return this.#origin;
  }

  get key(): string {
    return inodeKey(this);
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

  /** Bytes read, or null when the file no longer begins as it did: what was read is then of another content. */
  async read(into: Buffer, position: number): Promise<number | null> {
    const bytes = await readAt(this.fd, into, 0, into.length, position);
    const head = position === 0 ? into.subarray(0, Math.min(bytes, HEAD_BYTES)) : await readHead(this.fd);
    return this.#isSame(head) ? bytes : null;
  }

  async isSame(): Promise<boolean> {
    return this.#isSame(await readHead(this.fd));
  }

  /** The content is new: forget how it began. */
  restart(): void {
    this.#head = Buffer.alloc(0);
    this.#origin = this.#describe(this.#origin.finished ?? []);
  }

  #isSame(head: Buffer): boolean {
    const before = this.#head;
    if (head.length < before.length || !before.equals(head.subarray(0, before.length))) return false;
    if (head.length > before.length) {
      this.#head = Buffer.from(head);
      this.#origin = this.#describe(this.#origin.finished ?? []);
    }
    return true;
  }

  #describe(finished: readonly Finished[]): FileOrigin {
    const head = this.#head;
    const origin: FileOrigin = {
      dev: this.dev,
      inode: this.inode,
      head: hashHead(head),
      headBytes: head.length,
      ...(this.#made === null ? {} : { made: this.#made }),
    };
    return finished.length === 0 ? origin : { ...origin, finished };
  }
}

/** Start of a last line that is not ended yet, or the end of the file. */
export async function lastLineStart(file: OpenFile, size: number, maxLineBytes: number): Promise<number> {
  const space = Buffer.alloc(64 * 1024);
  const lowest = Math.max(0, size - maxLineBytes);
  for (let high = size; high > lowest;) {
    const low = Math.max(lowest, high - space.length);
    const bytes = await file.read(space.subarray(0, high - low), low);
    if (bytes === null) return 0;
    const newline = space.subarray(0, bytes).lastIndexOf(NEWLINE);
    if (newline >= 0) return low + newline + 1;
    high = low;
  }
  return lowest === 0 ? 0 : size;
}
