/**
 * One followed path. It reads the file that has the path; when that is renamed away it is read to its end first, then
 * those that had the path in between, then the one that has it now.
 */
import type { Stats } from 'node:fs';
import { ConfigError } from '../../../sdk/index.js';
import { errnoOf, inputError, statOrNull } from '../fs-calls.js';
import type { TailShared } from './known-files.js';
import { lastLineStart, OpenFile, type Opened } from './open-file.js';
import { identityOf, inodeKey, sameInode, type DurablePosition, type Finished } from './origin.js';
import { resumePlace } from './resume.js';
import { madeAfter, rotatedSiblings, type Sibling } from './siblings.js';
import { WholeLines, type ReadResult } from './whole-lines.js';

const MAX_FINISHED = 32;
/**
 * A file that left its folder is let go of when it was quiet for so many times `rotate.wait.ms`: what is written to it
 * later is not read, and whoever moves a file may be slower than a program that begins a new one.
 */
const WAITS_WHEN_MOVED = 60;

export class Tail {
  readonly path: string;
  readonly #shared: TailShared;
  /** The user named this path: whatever stands there must be a file. */
  readonly #given: boolean;
  #file: OpenFile | null = null;
  /** What is to be done before the first look; kept until it succeeds. */
  #start: (() => Promise<void>) | null = null;
  readonly #lines: WholeLines;
  #mtimeMs = 0;
  #rotatedAt: number | null = null;

  constructor(path: string, given: boolean, shared: TailShared) {
    this.path = path;
    this.#given = given;
    this.#shared = shared;
    this.#lines = new WholeLines(path, { file: path }, shared);
  }

  get isOpen(): boolean {
    return this.#file !== null;
  }

  /** Where to start: at a durable position, at the end, or where `look` finds the file. */
  async begin(durable: DurablePosition | null, atEnd: boolean): Promise<void> {
    if (durable !== null) this.#start = () => this.#resume(durable);
    else if (atEnd) this.#start = () => this.#startAtEnd();
    await this.#started();
    if (this.#file === null) await this.#openAnew();
  }

  /** Whether there is something to read. Notices growth, truncation and rotation. */
  async look(): Promise<boolean> {
    await this.#started();
    if (this.#file === null) await this.#openAnew();
    for (;;) {
      const file = this.#file;
      if (file === null) return false;
      const at = await statOrNull(this.path);
      const inPlace = at !== null && sameInode(file, at);
      const stats = inPlace ? at : await file.stats();
      if (stats.size < this.#lines.seen) this.#restart(file, 'it became shorter');
      else if (stats.size === this.#lines.seen && stats.mtimeMs !== this.#mtimeMs && !(await file.isSame())) {
        this.#restart(file, 'it has new content');
      }
      this.#mtimeMs = stats.mtimeMs;
      if (stats.size > this.#lines.seen) return true;
      if (inPlace) {
        this.#rotatedAt = null;
        return this.#lines.partialIsDue();
      }
      const next = await this.#afterRotation(file, stats, at);
      if (next !== 'switched') return next === 'flush';
    }
  }

  /** The next piece. `buffer` must not be touched until the chunk was cut. */
  async read(buffer: Buffer): Promise<ReadResult> {
    const file = this.#file;
    if (file === null) return { kind: 'end' };
    const bytes = await file.read(buffer, this.#lines.readFrom);
    if (bytes === null) {
      this.#restart(file, 'it has new content');
      return { kind: 'again' };
    }
    return this.#lines.take(file.origin, buffer, bytes);
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
    const { known, log } = this.#shared;
    if (known.finished(this.path).length === 0) known.noteFinished(this.path, durable.origin?.finished ?? []);
    const place = await resumePlace(this.path, durable, log);
    if (place === null) return;
    const { path, position } = place;
    await this.#open(path, position, durable.partial && position === durable.position);
  }

  /** At the last line start: what is there already is not wanted, but a line that is being written is. */
  async #startAtEnd(): Promise<void> {
    await this.#openPath();
    const file = this.#file;
    if (file === null || this.#lines.next > 0) return;
    const { size } = await file.stats();
    this.#lines.startAt(await lastLineStart(file, size, this.#shared.settings.maxLineBytes));
    this.#sayBegin(file);
  }

  /** Found later than at the start, so it is read from its beginning. */
  async #openAnew(): Promise<void> {
    await this.#openPath();
    if (this.#file !== null) this.#sayBegin(this.#file);
  }

  /** Where a start without a position means the end, what is written before the first record is durable would be lost. */
  #sayBegin({ origin }: OpenFile): void {
    const { settings, beginAt } = this.#shared;
    if (settings.startFromEnd) beginAt({ file: this.path }, { position: this.#lines.next, file: origin });
  }

  /** Unless another tail reads it. From where it was left, maybe under another name, if that is not before `from`. */
  async #open(path: string, from: number, afterPartial = false): Promise<void> {
    const opened = await OpenFile.open(path, this.#shared.known.finished(this.path));
    if (opened.stats.isFile() && !this.#shared.open.has(opened.file.key))
      this.#follow(opened, from, afterPartial);
    else opened.file.close();
  }

  #follow({ file, stats }: Opened, from: number, afterPartial = false): void {
    this.#shared.open.add(file.key);
    this.#file = file;
    this.#rotatedAt = null;
    const known = this.#shared.known.position(file, file.head, stats.size) ?? 0;
    this.#lines.startAt(Math.max(from, known), afterPartial && known <= from);
  }

  #restart(file: OpenFile, why: string): void {
    const { next, seen } = this.#lines;
    this.#shared.log.info(`reading a file from its beginning again: ${why}`, {
      file: this.path,
      position: next,
      unread: seen - next,
    });
    file.restart();
    this.#lines.startAt(0);
  }

  /** Opens what has the path now, if there is something and no other tail reads it. */
  async #openPath(): Promise<void> {
    const at = await statOrNull(this.path);
    if (at?.isFile() === true) await this.#open(this.path, 0);
    if (at === null || at.isFile() || !this.#given) return;
    const what = at.isDirectory()
      ? `a folder: to follow the files in it use "files" with a pattern, like ${this.path}/*`
      : 'not a regular file: pipes, sockets and devices have no positions to resume from';
    throw new ConfigError(`${this.path} is ${what}`, { code: 'FILE_NOT_A_FILE', field: 'file' });
  }

  /** At the end of a file that no longer has the path: wait, pass on its last line, or go on to the next file. */
  async #afterRotation(
    file: OpenFile,
    stats: Stats,
    at: Stats | null,
  ): Promise<'wait' | 'flush' | 'switched'> {
    const now = this.#shared.now();
    this.#rotatedAt ??= now;
    const { rotateWaitMs } = this.#shared.settings;
    const quietMs = now - Math.max(this.#rotatedAt, this.#lines.grewAt);
    if (quietMs < rotateWaitMs) return 'wait';
    const siblings = await rotatedSiblings(this.path);
    const next = this.#successor(file, stats, at, siblings);
    const isHere = siblings.some((sibling) => sameInode(file, sibling.stats));
    const isMoved = !isHere && quietMs >= rotateWaitMs * WAITS_WHEN_MOVED;
    const isGone = at === null && (stats.nlink === 0 || isMoved);
    if (next === null && !isGone) return 'wait';
    if (this.#lines.unfinished) {
      this.#lines.flush();
      return 'flush';
    }
    const done = this.#done(file);
    const finished = [...(file.origin.finished ?? []), done]
      .filter((item) => siblings.some((sibling) => sameInode(item, sibling.stats)))
      .slice(-MAX_FINISHED);
    if (next === null) {
      this.#finish(done, finished);
      return 'wait';
    }
    // Before the old one is let go: it says what comes next for as long as that cannot be opened.
    const opened = await this.#openFound(next, finished);
    if (opened === null) return 'wait';
    this.#finish(done, finished);
    this.#follow(opened, 0);
    return 'switched';
  }

  /** null when it was renamed since it was found: the next look finds it anew. */
  async #openFound({ path, stats }: Sibling, finished: readonly Finished[]): Promise<Opened | null> {
    let opened: Opened;
    try {
      opened = await OpenFile.open(path, finished);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw inputError(error, path);
    }
    if (sameInode(opened.file, stats)) return opened;
    opened.file.close();
    return null;
  }

  /** Where reading goes on after this file; null when nowhere yet. */
  #successor(file: OpenFile, stats: Stats, at: Stats | null, siblings: readonly Sibling[]): Sibling | null {
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
    if (between !== undefined) return between;
    if (at === null || !at.isFile() || at.size === 0) return null;
    return open.has(inodeKey(identityOf(at))) ? null : { path: this.path, stats: at };
  }

  #done(file: OpenFile): Finished {
    const { dev, inode, head, headBytes } = file.origin;
    return { dev, inode, head, headBytes, position: this.#lines.next };
  }

  /** Closes the file and remembers how far it was read; in positions for as long as it is there under another name. */
  #finish(done: Finished, finished: readonly Finished[]): void {
    this.#shared.known.note(done);
    this.#shared.known.noteFinished(this.path, finished);
    this.#shared.log.info('finished a file that was renamed, moved or deleted', {
      file: this.path,
      position: done.position,
    });
    this.close();
  }
}
