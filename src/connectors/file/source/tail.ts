/**
 * One followed path. It reads the file that has the path; when that is renamed away it is read to its end first, then
 * those that had the path in between, then the one that has it now.
 */
import type { Stats } from 'node:fs';
import { ConfigError, RetriableError } from '../../../sdk/index.js';
import { errnoOf, inputError, statOrNull } from '../fs-calls.js';
import { Absence } from './absence.js';
import { HeldFile } from './held-file.js';
import type { TailShared } from './known-files.js';
import { lastLineStart, type OpenFile, type Opened } from './open-file.js';
import {
  isFile,
  sameInode,
  type Content,
  type DurablePosition,
  type FileOrigin,
  type Finished,
} from './origin.js';
import { resumePlace } from './resume.js';
import { realPath, rotatedSiblings, surroundings, type Surroundings } from './siblings.js';
import { stillThere, successor, warnOfPassedOver, type Others } from './succession.js';
import { WholeLines, type ReadResult } from './whole-lines.js';

/**
 * A file that left its folder is let go of when it was quiet for so many times `rotate.wait.ms`, as is one with another
 * name where no more may be open: what is written to it later is not read, and whoever moves a file may be slower than a
 * program that begins a new one.
 */
const WAITS_WHEN_MOVED = 60;

export class Tail {
  readonly path: string;
  readonly #shared: TailShared;
  /** The user named this path: whatever stands there must be a file. */
  readonly #given: boolean;
  readonly #held: HeldFile;
  /** What is to be done before the first look; kept until it succeeds. */
  #start: (() => Promise<void>) | null = null;
  readonly #lines: WholeLines;
  #mtimeMs = 0;
  #rotatedAt: number | null = null;
  readonly #absence: Absence;
  /** What the path linked to when a file was opened by it. */
  #real: string | null = null;

  constructor(path: string, given: boolean, shared: TailShared) {
    this.path = path;
    this.#given = given;
    this.#shared = shared;
    this.#held = new HeldFile(given, shared, {
      // Nobody could find it again once it is deleted.
      isNeeded: () => this.#rotatedAt !== null,
      letGo: () => {
        this.#letGo();
      },
    });
    this.#absence = new Absence(path, shared);
    this.#lines = new WholeLines(path, { file: path }, shared);
  }

  /** There is a file whose end was not reached, or may not be the last. */
  get hasFile(): boolean {
    return !this.#held.isNone;
  }

  /** Where to start: at a durable position, at the end, or where `look` finds the file. */
  async begin(durable: DurablePosition | null, atEnd: boolean): Promise<void> {
    if (durable !== null) this.#start = () => this.#resume(durable);
    else if (atEnd) this.#start = () => this.#startAtEnd();
    await this.#started();
    if (!this.hasFile) await this.#openAnew();
  }

  /** Whether there is something to read. Notices growth, truncation and rotation. */
  look(): Promise<boolean> {
    return this.#unlessStale(() => this.#look());
  }

  /** The next piece. `buffer` must not be touched until the chunk was cut. */
  read(buffer: Buffer): Promise<ReadResult> {
    return this.#unlessStale(() => this.#read(buffer));
  }

  /** What a server of files has lost or moved never comes back to who has it open: it must be opened again. */
  async #unlessStale<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (errnoOf(error) === 'ESTALE') {
        this.#held.release();
        this.#mtimeMs = 0;
      }
      throw error;
    }
  }

  async #look(): Promise<boolean> {
    await this.#started();
    const { parked } = this.#held;
    if (parked !== null && (await this.#isUnchanged(parked))) return false;
    if (this.#held.file === null) await this.#openAnew();
    for (;;) {
      const { file } = this.#held;
      if (file === null) return false;
      const at = await statOrNull(this.path);
      const inPlace = at !== null && sameInode(file, at);
      const stats = inPlace ? at : await file.stats();
      file.learn(stats);
      if (stats.size < this.#lines.seen) this.#restart(file, 'it became shorter');
      else if (stats.size === this.#lines.seen && stats.mtimeMs !== this.#mtimeMs && !(await file.isSame())) {
        await this.#restartAnew(file);
      }
      // What looks like a hole at the end may be room that is being written to.
      const maybeFilled = this.#lines.endsInHole && stats.mtimeMs !== this.#mtimeMs;
      this.#mtimeMs = stats.mtimeMs;
      if (inPlace) this.#rotatedAt = null;
      if (stats.size > this.#lines.seen || maybeFilled) return true;
      if (inPlace) return this.#lines.partialIsDue();
      const next = await this.#afterRotation(file, stats, at);
      if (next !== 'switched') return next === 'flush';
    }
  }

  async #read(buffer: Buffer): Promise<ReadResult> {
    const { file } = this.#held;
    if (file === null) return { kind: 'end' };
    const bytes = await this.#held.read(file, buffer, this.#lines.readFrom);
    if (bytes !== null) return this.#lines.take(file, buffer, bytes);
    await this.#restartAnew(file);
    return { kind: 'again' };
  }

  close(): void {
    this.#held.close();
  }

  async #started(): Promise<void> {
    await this.#start?.();
    this.#start = null;
  }

  /** Of a parked file. When something happened to it, or a part of a line is due, it is opened again. */
  async #isUnchanged(parked: FileOrigin): Promise<boolean> {
    const at = await statOrNull(this.path);
    const isSame =
      at !== null && isFile(parked, at) && at.size === this.#lines.seen && at.mtimeMs === this.#mtimeMs;
    if (isSame && !this.#lines.partialIsDue()) return true;
    await this.#resume({ position: this.#lines.next, origin: parked, partial: this.#lines.afterPartial });
    return this.#held.parked !== null;
  }

  async #resume(durable: DurablePosition): Promise<void> {
    const { known } = this.#shared;
    if (known.finished(this.path).length === 0) known.noteFinished(this.path, durable.origin?.finished ?? []);
    this.#makeRoom();
    const around = await this.#around();
    const place = await this.#held.withRoom(() => resumePlace(this.path, durable, around, this.#shared));
    if (place === null) this.close();
    else await this.#open(place.path, place.position, durable.partial && place.position === durable.position);
  }

  #makeRoom(): void {
    if (this.#shared.open.makeRoom()) return;
    throw new RetriableError(
      `cannot open ${this.path}: as many files as max.open.files allows were renamed a moment ago, or in the middle of a line; raise it`,
      { code: 'FILE_NOT_READABLE' },
    );
  }

  /** At the last line start: what is there already is not wanted, but a line that is being written is. */
  async #startAtEnd(): Promise<void> {
    await this.#openPath();
    const { file } = this.#held;
    if (file === null || this.#lines.next > 0) return;
    const { size } = await file.stats();
    const start = await lastLineStart(file, size, this.#shared.settings.maxLineBytes);
    await file.resume(start);
    this.#lines.startAt(start, false, await file.isAfterReturn(start));
    this.#sayBegin(file);
  }

  /** Found later than at the start, so it is read from its beginning. */
  async #openAnew(): Promise<void> {
    await this.#openPath();
    if (this.#held.file !== null) this.#sayBegin(this.#held.file);
  }

  /** Where a start without a position means the end, what is written before the first record is durable would be lost. */
  #sayBegin({ origin }: OpenFile): void {
    const { settings, beginAt } = this.#shared;
    if (settings.startFromEnd) beginAt({ file: this.path }, { position: this.#lines.next, file: origin });
  }

  /** Unless another tail reads it. From where it was left, maybe under another name, if that is not before `from`. */
  async #open(path: string, from: number, afterPartial = false): Promise<void> {
    this.#makeRoom();
    const opened = await this.#held.open(path, this.#shared.known.finished(this.path));
    if (this.#held.mayTake(opened)) {
      const follow = await this.#prepared(opened, from, afterPartial);
      follow();
    } else {
      opened.file.close();
      this.close();
    }
  }

  /** What goes over to reading the file. Until then it may fail, and nothing is lost: all of this is done again. */
  async #prepared({ file, stats }: Opened, from: number, afterPartial = false): Promise<() => void> {
    // A parked file that goes on where it was is as if it had never been closed.
    const goesOn = this.#held.isParked(file) && from === this.#lines.next;
    const holds = (content: Content): Promise<boolean> => file.holds(content);
    try {
      const left = goesOn ? null : await this.#shared.known.position(file.origin, stats.size, holds);
      const start = Math.max(from, left ?? 0);
      const isPartial = afterPartial && start === from;
      // What was passed on without its line end may be written over.
      if (!isPartial) await file.resume(start);
      const afterReturn = await file.isAfterReturn(start);
      return () => {
        this.#held.take(file);
        this.#absence.over();
        this.#rotatedAt = null;
        if (!goesOn) this.#lines.startAt(start, isPartial, afterReturn);
      };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Not from the line that changed: only a part of those before it is compared. */
  async #restartAnew(file: OpenFile): Promise<void> {
    if (await file.lastLineGone()) {
      this.#shared.notes.happened('FILE_READ_AGAIN', this.path);
      this.#shared.say(
        `over ${this.path}`,
        'the last line of a file was written over, as where a writer puts the end of a list behind each new item: the whole file is read again each time; follow files to which lines are only added',
        { file: this.path },
      );
    }
    this.#restart(file, 'it has new content');
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
    if (at?.isFile() === true) {
      await this.#open(this.path, 0);
      this.#real = await realPath(this.path);
    }
    if (at === null && this.#given) await this.#absence.noticed(this.#real !== null);
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
    this.#rotatedAt ??= this.#shared.now();
    const { rotateWaitMs } = this.#shared.settings;
    const quietMs = this.#quietMs(this.#rotatedAt);
    if (quietMs < rotateWaitMs) return 'wait';
    const siblings = await rotatedSiblings(await this.#around(), file.origin);
    const finished = file.origin.finished ?? [];
    const rotated = { path: this.path, stats, at, siblings, finished };
    const next = successor(rotated, this.#others());
    const isHere = siblings.readable.some((sibling) => sameInode(file, sibling.stats));
    const isMoved = !isHere && quietMs >= rotateWaitMs * WAITS_WHEN_MOVED;
    const isGone = at === null && (stats.nlink === 0 || isMoved);
    if (next === null && !isGone) return 'wait';
    if (this.#lines.unfinished) {
      this.#lines.flush();
      return 'flush';
    }
    const done = this.#done(file);
    const remaining = stillThere([...finished, done], siblings.readable);
    // Before the old one is let go: it says what comes next for as long as that cannot be opened.
    const opened = next === null ? null : await this.#held.openFound(next.path, next.stats, remaining);
    if (opened === null && next !== null) return 'wait';
    const follow = opened === null ? null : await this.#prepared(opened, 0);
    if (next?.path === this.path) warnOfPassedOver(rotated, this.#others(), this.#shared);
    this.#finish(done, remaining, stats.nlink === 0);
    if (follow === null) {
      // The path of a file that was given is expected to come back.
      if (stats.nlink === 0 && !this.#given && remaining.length === 0) this.#shared.retire(this.path);
      return 'wait';
    }
    follow();
    return 'switched';
  }

  /** Others want to be read, and this one has lost its path, and was quiet for long. */
  #letGo(): void {
    const { file } = this.#held;
    if (file === null || this.#rotatedAt === null || this.#lines.unfinished) return;
    if (this.#quietMs(this.#rotatedAt) < this.#shared.settings.rotateWaitMs * WAITS_WHEN_MOVED) return;
    const done = this.#done(file);
    this.#finish(done, [...(file.origin.finished ?? []), done], false);
  }

  #quietMs(rotatedAt: number): number {
    return this.#shared.now() - Math.max(rotatedAt, this.#lines.grewAt);
  }

  #others(): Others {
    const { open, isFollowed } = this.#shared;
    return { isFollowed, isRead: (file) => open.isRead(file) };
  }

  async #around(): Promise<Surroundings> {
    const { settings, say } = this.#shared;
    this.#real = (await realPath(this.path)) ?? this.#real;
    return surroundings(this.path, this.#real, settings.rotatedFolders, (folder, error) => {
      say(
        `list ${folder}`,
        'a folder cannot be listed: files that rotation made there while this one was read are passed over',
        { file: this.path, cause: inputError(error, folder).message },
      );
    });
  }

  #done(file: OpenFile): Finished {
    const { finished: _, ...origin } = file.origin;
    return { ...origin, position: this.#lines.next };
  }

  /** Closes the file and remembers how far it was read; in positions for as long as it is there under another name. */
  #finish(done: Finished, finished: readonly Finished[], deleted: boolean): void {
    const { known, log } = this.#shared;
    if (deleted) known.forget(done);
    else known.note(done);
    known.noteFinished(this.path, finished);
    log.info('finished a file that was renamed, moved or deleted', {
      file: this.path,
      position: done.position,
    });
    this.close();
  }
}
