/**
 * One output and its progress file. Lines are written at a length this object knows; what lies beyond the committed
 * length at a start was written by a run that did not commit it, and is cut off.
 */
import { basename, dirname, join } from 'node:path';
import { ConfigError, ConnectError, type PluginLogger, type QueueOffset } from '../../sdk/index.js';
import type { Compressor } from './compressor.js';
import type { FileFacts, FileOps } from './file-ops.js';
import { fileChanged, outputError } from './output-errors.js';
import { pieceName, type OutputPath } from './output-path.js';
import {
  END_BYTES,
  hashEnd,
  lastBytes,
  progressPath,
  readProgress,
  writeProgress,
  type Progress,
} from './progress-file.js';

const NEWLINE = 10;
const NEWLINE_BYTES = Buffer.from('\n');

export interface OutputShared {
  readonly ops: FileOps;
  readonly paths: OutputPath;
  readonly log: PluginLogger;
  readonly compressor: Compressor;
  readonly fsync: boolean;
  readonly gzip: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Next offset of a queue in this output; moved on by the one who appends. */
export interface QueueProgress {
  readonly topic: string;
  readonly queue: number;
  next: number;
}

export class OutputFile {
  readonly path: string;
  readonly #shared: OutputShared;
  readonly #queues = new Map<string, QueueProgress>();
  #fd: number | null = null;
  #inode = 0;
  #length = 0;
  #end: Buffer = Buffer.alloc(0);
  #piece = 1;
  #openedAt: number | null = null;
  /** Finished pieces to be compressed; those the compressor has been told of are in `#compressing`. */
  readonly #toCompress = new Set<string>();
  readonly #compressing = new Set<string>();
  /** There is a progress file, so the length is known. */
  #hasProgress = false;
  /** Something changed that the progress file does not say yet. */
  #dirty = false;
  /** The output was renamed and the progress file does not say so: nothing may take its name before it does. */
  #rolling = false;

  constructor(path: string, shared: OutputShared) {
    this.path = path;
    this.#shared = shared;
  }

  get length(): number {
    return this.#length;
  }

  get openedAt(): number | null {
    return this.#openedAt;
  }

  queue(topic: string, queue: number): QueueProgress {
    const key = `${topic}\n${queue}`;
    let found = this.#queues.get(key);
    if (found === undefined) this.#queues.set(key, (found = { topic, queue, next: 0 }));
    return found;
  }

  /** Puts the output back to its last commit. The offsets to go on from; none when it was never committed. */
  async recover(): Promise<readonly QueueOffset[]> {
    return this.#guarded(async () => {
      const { ops, paths } = this.#shared;
      await paths.check(this.path);
      const progress = await readProgress(ops, this.path);
      if (progress === null) return [];
      this.#adopt(progress);
      const facts = await ops.facts(this.path);
      if (facts !== null) await this.#openAt(progress, facts);
      else if (progress.length > 0) await this.#completeRoll(progress);
      this.#compressPending();
      return progress.offsets;
    });
  }

  /** Whole lines with their line ends. After an error none of it was written. */
  async append(lines: Buffer): Promise<void> {
    await this.#guarded(async () => {
      const fd = this.#fd ?? (await this.#open());
      const data =
        this.#length > 0 && this.#end.at(-1) !== NEWLINE ? Buffer.concat([NEWLINE_BYTES, lines]) : lines;
      try {
        await this.#shared.ops.write(fd, data, this.#length);
      } catch (error) {
        await this.#cutQuietly(fd);
        throw error;
      }
      this.#length += data.length;
      this.#end = lastBytes(this.#end, data);
      this.#openedAt ??= this.#shared.now();
      this.#dirty = true;
    });
  }

  /** Makes what was appended durable, and the offsets with it. */
  async commit(): Promise<void> {
    if (!this.#dirty) return;
    await this.#guarded(async () => {
      if (this.#fd !== null) await this.#sync(this.#fd);
      await this.#writeProgress();
    });
  }

  /**
   * Finishes the output under its piece's name. Each step leaves a state that `recover` understands: committed and
   * in place; renamed, which shows by the piece having the committed length; or the next piece begun.
   */
  async roll(): Promise<void> {
    if (this.#length === 0) return;
    await this.#guarded(async () => {
      const { ops, log } = this.#shared;
      while (
        (await ops.facts(pieceName(this.path, this.#piece))) !== null ||
        (await ops.facts(`${pieceName(this.path, this.#piece)}.gz`)) !== null
      ) {
        this.#piece += 1;
      }
      this.#dirty = true;
      if (this.#fd !== null) await this.#sync(this.#fd);
      await this.#writeProgress();
      const name = pieceName(this.path, this.#piece);
      await ops.rename(this.path, name);
      const fd = this.#fd;
      const bytes = this.#length;
      this.#beginPiece(name);
      if (fd !== null) await ops.close(fd);
      await this.#writeProgress();
      log.info('finished a file', { file: name, bytes });
    });
  }

  /** Without a commit. */
  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) await this.#shared.ops.close(fd);
  }

  #adopt(progress: Progress): void {
    this.#hasProgress = true;
    this.#piece = progress.piece;
    this.#openedAt = progress.openedAt;
    for (const { topic, queue, offset } of progress.offsets) this.queue(topic, queue).next = offset;
    for (const name of progress.toCompress) this.#toCompress.add(name);
  }

  async #openAt(progress: Progress, facts: FileFacts): Promise<void> {
    const { ops, log } = this.#shared;
    if (facts.size < progress.length) {
      throw this.#changed(`has ${facts.size} bytes, but ${progress.length} were committed`);
    }
    const fd = await this.#openFile();
    this.#length = progress.length;
    this.#end = await this.#readEnd(fd, progress.length);
    if (hashEnd(this.#end) !== progress.end) throw this.#changed('does not hold what was written to it');
    if (facts.size === progress.length) return;
    log.info('cut off what was not committed', { file: this.path, bytes: facts.size - progress.length });
    await ops.truncate(fd, progress.length);
  }

  /** The output is not there. Either it was just being finished, or somebody took it away. */
  async #completeRoll(progress: Progress): Promise<void> {
    const { ops } = this.#shared;
    const name = pieceName(this.path, this.#piece);
    const facts = await ops.facts(name);
    if (facts?.size !== progress.length)
      throw this.#changed(`is gone, with ${progress.length} committed bytes`);
    const fd = await ops.open(name);
    try {
      const end = await this.#readEnd(fd, progress.length);
      if (hashEnd(end) !== progress.end) throw this.#changed(`is gone, and ${name} is not what became of it`);
    } finally {
      await ops.close(fd);
    }
    this.#beginPiece(name);
    await this.#writeProgress();
  }

  #beginPiece(finished: string): void {
    this.#rolling = true;
    this.#dirty = true;
    this.#fd = null;
    this.#inode = 0;
    this.#length = 0;
    this.#end = Buffer.alloc(0);
    this.#openedAt = null;
    this.#piece += 1;
    if (this.#shared.gzip) this.#toCompress.add(basename(finished));
  }

  async #open(): Promise<number> {
    const { paths, ops } = this.#shared;
    if (this.#rolling) await this.#writeProgress();
    await paths.check(this.path);
    await ops.makeFolder(dirname(this.path));
    const fd = await this.#openFile();
    const { size } = await ops.factsOf(fd);
    if (this.#hasProgress) {
      if (size > this.#length) await ops.truncate(fd, this.#length);
      return fd;
    }
    // The first run: what is there stays. This must be known before the first line is, or a second start could not
    // tell that line from what was there.
    this.#length = size;
    this.#end = await this.#readEnd(fd, size);
    await this.#writeProgress();
    return fd;
  }

  async #openFile(): Promise<number> {
    const { ops } = this.#shared;
    const fd = await ops.open(this.path);
    this.#fd = fd;
    const facts = await ops.factsOf(fd);
    this.#inode = facts.inode;
    if (facts.isFile) return fd;
    throw new ConfigError(`${this.path} is not a regular file`, { code: 'FILE_NOT_A_FILE', field: 'file' });
  }

  async #readEnd(fd: number, length: number): Promise<Buffer> {
    const end = Buffer.alloc(Math.min(length, END_BYTES));
    const bytes = await this.#shared.ops.read(fd, end, length - end.length);
    return end.subarray(0, bytes);
  }

  /** Checks that what is about to be called durable is where it is expected, and waits for the disk. */
  async #sync(fd: number): Promise<void> {
    const { ops, fsync } = this.#shared;
    const at = await ops.facts(this.path);
    if (at?.inode !== this.#inode)
      throw this.#changed('was deleted, renamed or replaced while it was being written');
    if (at.size < this.#length) throw this.#changed(`was cut to ${at.size} bytes while it was being written`);
    if (at.size > this.#length) await ops.truncate(fd, this.#length);
    if (!fsync) return;
    try {
      await ops.sync(fd);
    } catch (cause) {
      // What of it reached the disk is unknown, and asking again would answer yes: only a new start is safe.
      throw new ConnectError(`the disk did not take ${this.path}; going on from the last commit`, {
        code: 'FILE_SYNC_FAILED',
        cause,
      });
    }
  }

  async #writeProgress(): Promise<void> {
    const { ops, fsync } = this.#shared;
    const offsets = [...this.#queues.values()].map(({ topic, queue, next }) => ({
      topic,
      queue,
      offset: next,
    }));
    const progress: Progress = {
      length: this.#length,
      inode: this.#inode,
      end: hashEnd(this.#end),
      piece: this.#piece,
      openedAt: this.#openedAt,
      offsets: offsets.filter(({ offset }) => offset > 0),
      toCompress: [...this.#toCompress],
    };
    await writeProgress(ops, this.path, progress, fsync);
    this.#hasProgress = true;
    this.#dirty = false;
    this.#rolling = false;
    this.#compressPending();
  }

  /** Only what the progress file lists: until then a finished piece must stay as it is to be recognised. */
  #compressPending(): void {
    for (const name of this.#toCompress) {
      if (this.#compressing.has(name)) continue;
      this.#compressing.add(name);
      this.#shared.compressor.add(join(dirname(this.path), name), () => {
        this.#toCompress.delete(name);
        this.#compressing.delete(name);
        this.#dirty = true;
      });
    }
  }

  /** Gives the space back at once; should it fail, the next commit or start does it. */
  async #cutQuietly(fd: number): Promise<void> {
    try {
      await this.#shared.ops.truncate(fd, this.#length);
    } catch {
      // The error that led here says more.
    }
  }

  #changed(what: string): ConnectError {
    return fileChanged(this.path, what, progressPath(this.path));
  }

  async #guarded<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      throw outputError(error, this.path);
    }
  }
}
