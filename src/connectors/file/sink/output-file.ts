/** One output and its progress file: the piece that is being written, and what became of those before it. */
import { basename, dirname, join } from 'node:path';
import type { ConnectError, FileAccess, PluginLogger } from '../../../sdk/index.js';
import type { Compressor } from './compressor.js';
import type { FileOps } from '../file-ops.js';
import { fileChanged, outputError } from './output-errors.js';
import { pieceName, type OutputPath } from './output-path.js';
import { PieceFile } from './piece-file.js';
import {
  ProgressFile,
  hashEnd,
  readEnd,
  type KeptOffset,
  type Progress,
  type Writer,
} from './progress-file.js';
import type { TopicLives } from './topic-lives.js';

export interface OutputShared {
  readonly ops: FileOps;
  readonly paths: OutputPath;
  readonly files: FileAccess;
  readonly log: PluginLogger;
  readonly compressor: Compressor;
  readonly fsync: boolean;
  readonly gzip: boolean;
  /** Outputs are finished after a time. */
  readonly rolls: boolean;
  readonly writer: Writer;
  readonly topics: TopicLives;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Next offset of a queue in this output; moved on by the one who appends. Topic and queue are those of the log. */
export interface QueueProgress {
  readonly topic: string;
  readonly queue: number;
  next: number;
  /** Of the topic that `next` is an offset of; undefined: not known. */
  topicId: string | null | undefined;
}

export class OutputFile {
  readonly path: string;
  readonly #shared: OutputShared;
  readonly #progress: ProgressFile;
  readonly #queues = new Map<string, QueueProgress>();
  #file: PieceFile;
  #piece = 1;
  #openedAt: number | null = null;
  /** Finished pieces to be compressed; those the compressor has been told of are in `#compressing`. */
  readonly #toCompress = new Set<string>();
  readonly #compressing = new Set<string>();
  /** There is a progress file, so the length is known. */
  #hasProgress = false;
  /** The progress file names this start of the task: whoever wrote the output before sees that it must not any more. */
  #claimed = false;
  /** Something changed that the progress file does not say yet. */
  #dirty = false;
  /** The output was renamed and the progress file does not say so: nothing may take its name before it does. */
  #rolling = false;

  constructor(path: string, shared: OutputShared) {
    this.path = path;
    this.#shared = shared;
    this.#progress = new ProgressFile(path, shared.ops, shared.writer);
    this.#file = this.#newPiece();
  }

  get length(): number {
    return this.#file.length;
  }

  get isOpen(): boolean {
    return this.#file.isOpen;
  }

  /** There is something to commit. */
  get isDirty(): boolean {
    return this.#dirty;
  }

  get openedAt(): number | null {
    return this.#openedAt;
  }

  queue(topic: string, queue: number): QueueProgress {
    const key = `${topic}\n${queue}`;
    let found = this.#queues.get(key);
    if (found === undefined) {
      found = { topic, queue, next: 0, topicId: this.#shared.topics.idOf(topic) };
      this.#queues.set(key, found);
    }
    return found;
  }

  /** Puts the output back to its last commit. The offsets to go on from; none when it was never committed. */
  async recover(): Promise<readonly KeptOffset[]> {
    return this.#guarded(async () => {
      const { ops, paths, files, log } = this.#shared;
      await paths.check(this.path, files);
      const progress = await this.#progress.read();
      if (progress === null) return [];
      this.#adopt(progress);
      const facts = await ops.facts(this.path);
      if (facts !== null) {
        const bytes = await this.#file.openCommitted(facts.size, progress);
        if (bytes > 0) log.info('cut off what was not committed', { file: this.path, bytes });
      } else if (progress.length > 0) await this.#completeRoll(progress);
      this.#compressPending();
      return progress.offsets;
    });
  }

  /** Whole lines with their line ends. After an error none of it was written. */
  async append(lines: Buffer): Promise<void> {
    await this.#guarded(async () => {
      if (!this.#file.isOpen || !this.#hasProgress) await this.#open();
      if (!this.#claimed) await this.#writeProgress();
      await this.#file.write(lines);
      this.#openedAt ??= this.#shared.now();
      this.#dirty = true;
    });
  }

  /** Makes what was appended durable, and the offsets with it. */
  async commit(): Promise<void> {
    if (!this.#dirty) return;
    await this.#guarded(async () => {
      await this.#file.sync(this.#shared.fsync);
      await this.#writeProgress();
    });
  }

  /**
   * Finishes the output under its piece's name. Each step leaves a state that `recover` understands: committed and
   * in place; renamed, which shows by the piece having the committed length; or the next piece begun.
   */
  async roll(): Promise<void> {
    if (this.length === 0) return;
    await this.#guarded(async () => {
      const { ops, log } = this.#shared;
      while (
        (await ops.facts(pieceName(this.path, this.#piece))) !== null ||
        (await ops.facts(`${pieceName(this.path, this.#piece)}.gz`)) !== null
      ) {
        this.#piece += 1;
      }
      this.#dirty = true;
      await this.#file.sync(this.#shared.fsync);
      await this.#writeProgress();
      const name = pieceName(this.path, this.#piece);
      await ops.rename(this.path, name);
      const finished = this.#file;
      this.#beginPiece(name);
      await finished.close();
      await this.#writeProgress();
      log.info('finished a file', { file: name, bytes: finished.length });
    });
  }

  /** Without a commit. It is opened again by what is appended next. */
  async close(): Promise<void> {
    await this.#file.close();
  }

  #adopt(progress: Progress): void {
    this.#hasProgress = true;
    this.#piece = progress.piece;
    this.#openedAt = progress.openedAt;
    for (const kept of progress.offsets) {
      if (this.#shared.topics.isOther(kept)) continue;
      const queue = this.queue(kept.topic, kept.queue);
      queue.next = kept.offset;
      queue.topicId ??= kept.topicId;
    }
    for (const name of progress.toCompress) this.#toCompress.add(name);
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
      const end = await readEnd(ops, fd, progress.length);
      if (hashEnd(end) !== progress.end) throw this.#changed(`is gone, and ${name} is not what became of it`);
    } finally {
      await ops.close(fd);
    }
    this.#beginPiece(name);
    await this.#writeProgress();
  }

  #newPiece(): PieceFile {
    const { ops, log } = this.#shared;
    return new PieceFile(this.path, ops, async (bytes) => {
      await this.#progress.checkMine();
      log.warn('cut off what others wrote behind the lines: the file belongs to the sink', {
        file: this.path,
        bytes,
      });
    });
  }

  #beginPiece(finished: string): void {
    this.#rolling = true;
    this.#dirty = true;
    this.#file = this.#newPiece();
    this.#openedAt = null;
    this.#piece += 1;
    if (this.#shared.gzip) this.#toCompress.add(basename(finished));
  }

  async #open(): Promise<void> {
    const { paths, files, ops } = this.#shared;
    if (this.#rolling) await this.#writeProgress();
    await paths.check(this.path, files);
    await ops.makeFolder(dirname(this.path));
    if (this.#hasProgress) return this.#file.openAgain();
    // The first run: what is there stays. This must be known before the first line is, or a second start could not
    // tell that line from what was there.
    await this.#file.openAsFound();
    await this.#writeProgress();
  }

  async #writeProgress(): Promise<void> {
    const offsets = [...this.#queues.values()].map(({ topic, queue, next, topicId }) => ({
      topic,
      queue,
      offset: next,
      ...(topicId === undefined ? {} : { topicId }),
    }));
    const progress = {
      length: this.#file.length,
      end: this.#file.endHash,
      piece: this.#piece,
      openedAt: this.#openedAt,
      offsets: offsets.filter(({ offset }) => offset > 0),
      toCompress: [...this.#toCompress],
    };
    await this.#progress.write(progress, this.#shared.fsync);
    this.#hasProgress = true;
    this.#claimed = true;
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

  #changed(what: string): ConnectError {
    return fileChanged(this.path, what, this.#progress.path);
  }

  async #guarded<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      throw outputError(error, this.path);
    }
  }
}
