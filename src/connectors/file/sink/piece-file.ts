/** The file an output is written to, until it is finished: what lies beyond its length was not committed. */
import { ConnectError } from '../../../sdk/index.js';
import type { FileOps } from '../file-ops.js';
import { fileChanged, notAFile } from './output-errors.js';
import { hashEnd, lastBytes, progressPath, readEnd } from './progress-file.js';

/** One look holds for the writes of so long, up to the next commit: beside a write of a batch a look is dear. */
const LOOK_MS = 50;
const REPLACED = 'was deleted, renamed or replaced while it was being written';
const NEWLINE = 10;
const NEWLINE_BYTES = Buffer.from('\n');

export class PieceFile {
  readonly path: string;
  readonly #ops: FileOps;
  readonly #beforeCut: (bytes: number) => Promise<void>;
  #fd: number | null = null;
  /** null: it was never open. */
  #inode: number | null = null;
  #length = 0;
  #end: Buffer = Buffer.alloc(0);
  /** On the clock of `performance.now()`. */
  #lookAgainAt = 0;

  /** `beforeCut` is told how many bytes others have written behind the lines, and may forbid to cut them off. */
  constructor(path: string, ops: FileOps, beforeCut: (bytes: number) => Promise<void>) {
    this.path = path;
    this.#ops = ops;
    this.#beforeCut = beforeCut;
  }

  get isOpen(): boolean {
    return this.#fd !== null;
  }

  get length(): number {
    return this.#length;
  }

  get endHash(): string {
    return hashEnd(this.#end);
  }

  /** As it was committed, of `size` bytes now. How many came later and were cut off. */
  async openCommitted(
    size: number,
    committed: { readonly length: number; readonly end: string },
  ): Promise<number> {
    const { length, end } = committed;
    if (size < length) throw this.#changed(`has ${size} bytes, but ${length} were committed`);
    const { fd } = await this.#openFile();
    this.#length = length;
    this.#end = await readEnd(this.#ops, fd, length);
    if (this.endHash !== end) throw this.#changed('does not hold what was written to it');
    if (size > length) await this.#ops.truncate(fd, length);
    return size - length;
  }

  /** With what is in it. */
  async openAsFound(): Promise<void> {
    const { fd, size } = await this.#openFile();
    this.#length = size;
    this.#end = await readEnd(this.#ops, fd, size);
  }

  /** At the length known so far, and the same file where it was open before. */
  async openAgain(): Promise<void> {
    const before = this.#inode;
    await this.#openFile();
    if (before !== null && before !== this.#inode) throw this.#changed(REPLACED);
    await this.#checkPlace();
  }

  /**
   * Whole lines with their line ends. After an error none of it was written. The file must be open. It is looked at
   * before, so that what was emptied or taken away in the meantime gets nothing more; within `LOOK_MS` the next commit
   * finds it out.
   */
  async write(lines: Buffer): Promise<void> {
    const fd = this.#fd;
    if (fd === null) throw new Error(`${this.path} is not open`);
    if (performance.now() >= this.#lookAgainAt) await this.#checkPlace();
    const data =
      this.#length > 0 && this.#end.at(-1) !== NEWLINE ? Buffer.concat([NEWLINE_BYTES, lines]) : lines;
    try {
      await this.#ops.write(fd, data);
    } catch (error) {
      await this.#cutQuietly(fd);
      throw error;
    }
    this.#length += data.length;
    this.#end = lastBytes(this.#end, data);
  }

  /** Checks that what is about to be called durable is where it is expected, and waits for the disk. */
  async sync(fsync: boolean): Promise<void> {
    const fd = this.#fd;
    if (fd === null) return;
    await this.#checkPlace();
    this.#lookAgainAt = 0;
    if (!fsync) return;
    try {
      await this.#ops.sync(fd);
    } catch (cause) {
      // What of it reached the disk is unknown, and asking again would answer yes: only a new start is safe.
      throw new ConnectError(`the disk did not take ${this.path}; going on from the last commit`, {
        code: 'FILE_SYNC_FAILED',
        cause,
      });
    }
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) await this.#ops.close(fd);
  }

  /** What others have written behind the lines is cut off; anything else they did is an error. */
  async #checkPlace(): Promise<void> {
    const fd = this.#fd;
    if (fd === null) return;
    const at = await this.#ops.facts(this.path);
    if (at?.inode !== this.#inode) throw this.#changed(REPLACED);
    if (at.size < this.#length) throw this.#changed(`was cut to ${at.size} bytes while it was being written`);
    this.#lookAgainAt = performance.now() + LOOK_MS;
    if (at.size === this.#length) return;
    await this.#beforeCut(at.size - this.#length);
    await this.#ops.truncate(fd, this.#length);
    const end = await readEnd(this.#ops, fd, this.#length);
    if (!end.equals(this.#end)) throw this.#changed('was written to by others');
  }

  async #openFile(): Promise<{ readonly fd: number; readonly size: number }> {
    await this.close();
    const fd = await this.#ops.open(this.path);
    this.#fd = fd;
    const { inode, isFile, size } = await this.#ops.factsOf(fd);
    this.#inode = inode;
    if (isFile) return { fd, size };
    throw notAFile(this.path);
  }

  /** Gives the space back at once; should it fail, the next commit or start does it. */
  async #cutQuietly(fd: number): Promise<void> {
    try {
      // Where somebody emptied it, this would fill it with NULs.
      const { size } = await this.#ops.factsOf(fd);
      if (size > this.#length) await this.#ops.truncate(fd, this.#length);
    } catch {
      // The error that led here says more.
    }
  }

  #changed(what: string): ConnectError {
    return fileChanged(this.path, what, progressPath(this.path));
  }
}
