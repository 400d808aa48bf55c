/** The file a tail reads: open, parked because too many are, or none. */
import type { Stats } from 'node:fs';
import { ConfigError, RetriableError } from '../../../sdk/index.js';
import { errnoOf, inputError, isOutOfFiles } from '../fs-calls.js';
import type { TailShared } from './known-files.js';
import { OpenFile, type Opened } from './open-file.js';
import type { Holder } from './open-files.js';
import { sameFile, sameInode, type FileOrigin, type Finished } from './origin.js';

/** What the tail says of a file that is open. */
export interface HeldFor {
  /** Closed now, it could not be found again. */
  readonly isNeeded: () => boolean;
  /** Others cannot be opened: closes it for good where nothing is likely to come. */
  readonly letGo: () => void;
}

export class HeldFile implements Holder {
  readonly #shared: TailShared;
  readonly #given: boolean;
  readonly #for: HeldFor;
  #file: OpenFile | null = null;
  #parked: FileOrigin | null = null;
  #reading = false;

  /** `given`: the user named the path. */
  constructor(given: boolean, shared: TailShared, heldFor: HeldFor) {
    this.#given = given;
    this.#shared = shared;
    this.#for = heldFor;
  }

  get file(): OpenFile | null {
    return this.#file;
  }

  /** The file being read, while it is closed. */
  get parked(): FileOrigin | null {
    return this.#parked;
  }

  get isNone(): boolean {
    return this.#file === null && this.#parked === null;
  }

  /** As `OpenFile.read`. It is not parked meanwhile. */
  async read(file: OpenFile, buffer: Buffer, position: number): Promise<number | null> {
    this.#shared.open.used(this);
    this.#reading = true;
    try {
      return await file.read(buffer, position);
    } finally {
      this.#reading = false;
    }
  }

  /** Opens what `take` may take. `finished`: what its positions are to say about earlier files of the same path. */
  async open(path: string, finished: readonly Finished[]): Promise<Opened> {
    try {
      await this.#shared.files.check(path, this.#given ? 'file' : 'files');
    } catch (error) {
      // A link that a pattern matches may lead anywhere: the other files are read all the same.
      if (this.#given || !(error instanceof ConfigError)) throw error;
      throw new RetriableError(error.message, { code: error.code });
    }
    return this.withRoom(() => OpenFile.open(path, finished, this.#shared.settings));
  }

  /** null when what was found there has been renamed since. */
  async openFound(path: string, stats: Stats, finished: readonly Finished[]): Promise<Opened | null> {
    let opened: Opened;
    try {
      opened = await this.open(path, finished);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      throw inputError(error, path);
    }
    if (sameInode(opened.file, stats)) return opened;
    opened.file.close();
    return null;
  }

  /** Where the system allows no more open files, some are closed, and it is tried once more. */
  async withRoom<T>(body: () => Promise<T>): Promise<T> {
    const { open, say } = this.#shared;
    try {
      return await body();
    } catch (error) {
      if (!isOutOfFiles(error)) throw error;
      say(
        'open files',
        'this process may open no more files: going on with fewer at once; raise the limit (ulimit -n)',
        { files: open.shrink() },
      );
      return await body();
    }
  }

  /** A regular file that is parked here, or that no tail reads. */
  mayTake({ file, stats }: Opened): boolean {
    return stats.isFile() && (this.isParked(file) || !this.#shared.open.isRead(file));
  }

  isParked(file: OpenFile): boolean {
    return this.#parked !== null && sameFile(this.#parked, file.origin);
  }

  /** Unless it is the one that was parked, that, or the one that was open, is let go of. */
  take(file: OpenFile): void {
    const { open } = this.#shared;
    if (!this.isParked(file)) this.close();
    open.begin(file);
    open.used(this);
    this.#parked = null;
    this.#file = file;
  }

  park(): boolean {
    if (this.#file === null || this.#reading || this.#for.isNeeded()) return false;
    this.release();
    return true;
  }

  letGo(): void {
    if (!this.#reading) this.#for.letGo();
  }

  /** Closes the file, which is to be opened again. */
  release(): void {
    const file = this.#file;
    if (file === null) return;
    this.#parked = file.origin;
    this.#file = null;
    this.#shared.open.closed(this);
    file.close();
  }

  close(): void {
    const file = this.#file ?? this.#parked;
    if (file === null) return;
    this.#shared.open.end(file);
    this.#shared.open.closed(this);
    this.#file?.close();
    this.#file = null;
    this.#parked = null;
  }
}
