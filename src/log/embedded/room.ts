import { dirname, join } from 'node:path';

import { BALLAST_FILE, isScarce, planRoom, reserveBytes, type FileRoom } from '../../core/disk-room.js';
import { LogError } from '../log.js';
import type { Disk } from './disk.js';
import { isDiskFull } from './errors.js';
import { spaceOf } from './keys.js';
import type { Change } from './staging.js';

const MIB = 1024 * 1024;
/** What is given up of the ballast beyond what is needed others may take. */
const PIECE_BYTES = 64 * 1024;
/** Of any commit: branches of the trees, and lmdb's own list of free pages. */
const BASE_BYTES = 512 * 1024;
/** The leaf that a value goes to, and its half when it is split. */
const PUT_BYTES = 4096;
/** What goes together lies together, some ten keys a leaf at least. */
const REMOVE_BYTES = 1024;

/** More than the pages that a commit of these changes writes. */
function bytesNeeded(changes: readonly Change[]): number {
  let bytes = BASE_BYTES;
  for (const { value } of changes)
    bytes += value === null ? REMOVE_BYTES : PUT_BYTES + spaceOf(value.byteLength);
  return bytes;
}

export interface RoomOptions {
  readonly dataFile: string;
  readonly disk: Disk;
  /** Looked at only where the disk is nearly full. */
  readonly pages: () => { readonly pageSize: number; readonly last: number; readonly unused: number };
}

/**
 * Sees to it that a commit finds room before lmdb writes it: the data file is lengthened, which fails in good order, and
 * lmdb then writes over that. Several processes may share the store, and so the ballast: what there is of it is looked up each time.
 */
export class Room {
  readonly #options: RoomOptions;
  readonly #folder: string;
  readonly #ballastFile: string;
  #mistrusted = false;
  /** The ballast is short of so much, and there was room for it when the last commit was made. */
  #toRestore = 0;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#folder = dirname(options.dataFile);
    this.#ballastFile = join(this.#folder, BALLAST_FILE);
  }

  /** LogError LOG_FULL, before anything was written. `records`: they are not the node's own. */
  provide(changes: readonly Change[], records: boolean): void {
    const space = this.#options.disk.space(this.#folder);
    if (space === null) return;
    const need = bytesNeeded(changes);
    const reserve = reserveBytes(space.total);
    const ballast = this.#ballast();
    this.#toRestore = space.free < need + reserve + MIB ? 0 : Math.max(0, reserve - ballast);
    const room = { free: space.free, ballast, reserve };
    // Else lmdb's pages are not counted.
    if (!this.#mistrusted && !isScarce(need, room)) return;
    const plan = planRoom(need, records, room, this.#file(), this.#mistrusted);
    if (plan.type === 'refuse' || (plan.type === 'extend' && !this.#extend(need, plan.ballastStays)))
      throw this.#full(records);
  }

  /** After a commit: takes the ballast back, a piece at a time. */
  restore(): void {
    if (this.#toRestore === 0) return;
    try {
      this.#options.disk.lengthen(this.#ballastFile, Math.min(this.#toRestore, MIB), 'noise');
    } catch {
      // Somebody else was faster.
    }
  }

  /** lmdb could not write: from now on free space is not believed. */
  mistrust(): void {
    this.#mistrusted = true;
  }

  #ballast(): number {
    return this.#options.disk.size(this.#ballastFile) ?? 0;
  }

  #file(): FileRoom {
    const { dataFile, disk, pages } = this.#options;
    const { pageSize, last, unused } = pages();
    return { tail: (disk.size(dataFile) ?? 0) - (last + 1) * pageSize, unused: unused * pageSize };
  }

  #extend(need: number, ballastStays: number): boolean {
    const { dataFile, disk } = this.#options;
    for (;;) {
      const missing = need - this.#file().tail;
      if (missing <= 0) return true;
      try {
        // As `extend` in data-file.ts: zeros are never taken for data.
        disk.lengthen(dataFile, missing, 'zeros');
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        const ballast = this.#ballast();
        const left = Math.max(ballastStays, ballast - missing - PIECE_BYTES);
        if (left >= ballast) return false;
        disk.shorten(this.#ballastFile, left);
      }
    }
  }

  #full(records: boolean): LogError {
    const kept = records ? " but for what is kept for the node's own writes" : '';
    return new LogError(
      'LOG_FULL',
      `the disk that holds ${this.#options.dataFile} is full${kept}; nothing was written. Free space there, and it goes on; ` +
        `or start the sinks that have not read the records, or delete topics, so that the log has room in itself`,
    );
  }
}
