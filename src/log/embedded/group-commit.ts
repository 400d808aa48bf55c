/**
 * The store's one writer. Work that arrives while a commit is being flushed waits in line and goes together in the
 * next one: one flush for all of it.
 *
 * A commit is planned here and then written by lmdb's own thread, without coming back to JavaScript, on the
 * condition that nobody has committed since the plan was made; else it is planned again. (Transactions whose code
 * runs in this thread would be simpler, but when the thread is terminated in the middle, lmdb commits the half.)
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { LogError } from '../log.js';
import { lostFile } from './data-file.js';
import { isFailedWrite, isFatal, toLogError } from './errors.js';
import { NO_BYTES, VERSION_KEY } from './open-database.js';
import type { OpenedDatabase } from './open-database.js';
import type { Room } from './room.js';
import type { Change, Staging } from './staging.js';

export interface GroupCommitOptions {
  readonly database: OpenedDatabase;
  readonly staging: Staging;
  readonly room: Pick<Room, 'provide' | 'restore' | 'mistrust'>;
  /** Work waiting in line, by its bytes: beyond this it is refused. */
  readonly maxPendingBytes: number;
  readonly maxPending: number;
  /** A commit that takes longer has hung: `onFatal`. */
  readonly stallMs: number;
  /** The store must be closed and opened anew. */
  readonly onFatal: (error: LogError) => void;
  /** The data file has no name any more. Told once each time. */
  readonly onLost: (error: LogError) => void;
}

interface Work {
  readonly bytes: number;
  readonly alone: boolean;
  readonly plan: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: LogError) => void;
}

type Outcome = { readonly value: unknown } | { readonly refused: LogError };

/** Most that one commit carries: bounds how long others wait for it. */
const GROUP_BYTES = 8 * 1024 * 1024;
const GROUP_WORK = 1000;
/** Each failed try means that another process got through. */
const MAX_TRIES = 500;
const MAX_PAUSE_MS = 20;

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #line: Work[] = [];
  #pendingBytes = 0;
  #pump: Promise<void> | null = null;
  #closed = false;
  /** Newest commit that is ours, or that was looked at. */
  #known: number;
  #inFlight: number | null = null;
  #missed = false;
  #lost = false;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#known = this.#storedVersion();
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /**
   * Calls `plan`, which stages changes, and resolves with its result once they are flushed. `plan` may run several
   * times, and may refuse by throwing a LogError: only its own caller sees that. `alone`: it scans, so it must not
   * share a commit with others' staged changes.
   */
  submit<T>(bytes: number, plan: () => T, alone = false): Promise<T> {
    if (this.#closed) return Promise.reject(new LogError('LOG_CLOSED', 'the log is closed'));
    const { maxPending, maxPendingBytes } = this.#options;
    const full =
      this.#line.length >= maxPending ||
      (this.#pendingBytes > 0 && this.#pendingBytes + bytes > maxPendingBytes);
    if (full) {
      const message = `${this.#pendingBytes} bytes wait to be written already: the disk does not keep up. Try again`;
      return Promise.reject(new LogError('LOG_BUSY', message));
    }
    this.#pendingBytes += bytes;
    return new Promise<T>((resolve, reject) => {
      // `value` is what this very `plan` returned.
      this.#line.push({ bytes, alone, plan, resolve: (value) => resolve(value as T), reject });
      this.#pump ??= this.#run();
    });
  }

  /** Submits a step that scans, again and again until it answers true: others get their turn in between. */
  async submitSteps(step: () => boolean): Promise<void> {
    while (!(await this.submit(0, step, true)));
  }

  /** True when another process has committed since the last call. */
  takeForeign(): boolean {
    this.#options.database.data.resetReadTxn();
    const stored = this.#storedVersion();
    const foreign = this.#missed || stored > Math.max(this.#known, this.#inFlight ?? 0);
    this.#missed = false;
    if (foreign) this.#known = Math.max(this.#known, stored);
    return foreign;
  }

  /** Resolves when everything submitted so far is written; later work is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pump;
  }

  async #run(): Promise<void> {
    while (this.#line.length > 0) {
      const group = this.#takeGroup();
      if (!(await this.#commit(group)) && group.length > 1) {
        // One of them may be what the disk has no room for; the others must not fail with it.
        for (const work of group) await this.#commit([work]);
      }
    }
    this.#pump = null;
  }

  #takeGroup(): Work[] {
    let bytes = 0;
    let count = 0;
    for (const work of this.#line) {
      if (count > 0 && (work.alone || bytes + work.bytes > GROUP_BYTES || count === GROUP_WORK)) break;
      bytes += work.bytes;
      count++;
      if (work.alone) break;
    }
    return this.#line.splice(0, count);
  }

  /** False when the disk failed and the group may be tried one by one; else every caller has its answer. */
  async #commit(group: readonly Work[]): Promise<boolean> {
    let written = false;
    try {
      const planned = await this.#planAndWrite(group);
      ({ written } = planned);
      if (written) {
        // Before anything is acknowledged; whether this commit was in time nobody knows.
        this.#checkFile('LOG_IO');
        this.#options.room.restore();
      }
      for (const [i, work] of group.entries()) {
        const outcome = planned.outcomes[i];
        if (outcome === undefined) continue;
        this.#pendingBytes -= work.bytes;
        if ('refused' in outcome) work.reject(outcome.refused);
        else work.resolve(outcome.value);
      }
      return true;
    } catch (error) {
      const reported = toLogError(await commitCause(error), this.#options.database.dataFile);
      if (isFatal(reported.cause)) this.#options.onFatal(reported);
      if (isFailedWrite(reported.cause)) this.#options.room.mistrust();
      if (group.length > 1 && !written) return false;
      for (const work of group) {
        this.#pendingBytes -= work.bytes;
        work.reject(reported);
      }
      return true;
    }
  }

  /** `written` false: nobody changed anything. */
  async #planAndWrite(
    group: readonly Work[],
  ): Promise<{ readonly outcomes: readonly Outcome[]; readonly written: boolean }> {
    const { room } = this.#options;
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      this.#checkFile('LOG_CORRUPT');
      this.#options.database.data.resetReadTxn();
      const version = this.#storedVersion();
      const outcomes = group.map((work) => this.#plan(work));
      const { changes, records } = this.#options.staging.take();
      if (changes.length === 0) return { outcomes, written: false };
      room.provide(changes, records);
      if (await this.#write(changes, version)) return { outcomes, written: true };
      // Random, so that processes do not keep meeting.
      if (tries > 2) await sleep(Math.random() * MAX_PAUSE_MS);
    }
    throw new LogError(
      'LOG_BUSY',
      `other processes that share the store left no turn in ${MAX_TRIES} tries. Try again`,
    );
  }

  #checkFile(code: 'LOG_CORRUPT' | 'LOG_IO'): void {
    const { database, onLost } = this.#options;
    const there = database.isThere();
    if (!there && !this.#lost) onLost(lostFile(database.dataFile, code));
    this.#lost = !there;
    if (!there) throw lostFile(database.dataFile, code);
  }

  #plan(work: Work): Outcome {
    const { staging } = this.#options;
    try {
      const value = work.plan();
      staging.accept();
      return { value };
    } catch (error) {
      staging.discard();
      return { refused: toLogError(error, this.#options.database.dataFile) };
    }
  }

  /** False when somebody has committed after `version`. */
  async #write(changes: readonly Change[], version: number): Promise<boolean> {
    const { database, stallMs, onFatal } = this.#options;
    const stalled = setTimeout(() => {
      const message = `a commit to ${database.dataFile} has not ended within ${stallMs} ms: the disk, or a process that shares the store, hangs`;
      onFatal(new LogError('LOG_IO', message));
    }, stallMs);
    this.#inFlight = version + 1;
    let written = false;
    try {
      written = await database.version.ifVersion(VERSION_KEY, version, () => {
        for (const { key, value } of changes)
          void (value === null ? database.data.remove(key) : database.data.put(key, value));
        void database.version.put(VERSION_KEY, NO_BYTES, version + 1);
      });
      return written;
    } finally {
      clearTimeout(stalled);
      this.#inFlight = null;
      if (!written || version > this.#known) this.#missed = true;
      if (written) this.#known = version + 1;
    }
  }

  #storedVersion(): number {
    return this.#options.database.version.getEntry(VERSION_KEY)?.version ?? 0;
  }
}

/** lmdb says only that a commit failed; the reason comes in a promise of its own. */
async function commitCause(error: unknown): Promise<unknown> {
  const pending: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'commitError') : undefined;
  if (!(pending instanceof Promise)) return error;
  try {
    await pending;
    return error;
  } catch (cause) {
    return cause;
  }
}
