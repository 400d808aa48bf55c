/**
 * What a commit of the embedded log may do where its disk is nearly full. lmdb must not find that out by writing: a write
 * of its own that fails can end the process (docs/decisions/0024).
 */

/** Beside the log's data file: room that is given up for the node's own writes when the disk is full. */
export const BALLAST_FILE = 'ballast';

const MAX_RESERVE_BYTES = 16 * 1024 * 1024;
const MIN_RESERVE_BYTES = 1024 * 1024;
/** Of a small disk. */
const RESERVE_SHARE = 1 / 16;

/** Of the ballast, for the node's own writes: records that have room among pages in pieces take the rest. */
const KEPT_SHARE = 1 / 4;

/** Kept twice: as ballast, and as free space where records are the last to take it. */
export function reserveBytes(diskBytes: number): number {
  return Math.min(MAX_RESERVE_BYTES, Math.max(MIN_RESERVE_BYTES, Math.floor(diskBytes * RESERVE_SHARE)));
}

/** All in bytes. */
export interface DiskRoom {
  readonly free: number;
  readonly ballast: number;
  readonly reserve: number;
}

/** `tail`: what the data file has behind its last page. `unused`: pages in it that hold nothing. In bytes. */
export interface FileRoom {
  readonly tail: number;
  readonly unused: number;
}

export function isScarce(need: number, { free, ballast, reserve }: DiskRoom): boolean {
  return free + ballast < need + 2 * reserve;
}

export type RoomPlan =
  | { readonly type: 'write' }
  /** Lengthen the tail to what is needed first, taking from the ballast as long as it stays so large. */
  | { readonly type: 'extend'; readonly ballastStays: number }
  | { readonly type: 'refuse' };

/**
 * Of records only those go on that the file has pages for: what sinks have read, and retention has let go. `mistrusted`:
 * lmdb has failed to write before, so that free space, as under a quota, means nothing.
 */
export function planRoom(
  need: number,
  records: boolean,
  disk: DiskRoom,
  file: FileRoom,
  mistrusted: boolean,
): RoomPlan {
  const scarce = isScarce(need, disk);
  if (!scarce && !mistrusted) return { type: 'write' };
  if (scarce && records && file.unused < need + disk.reserve) return { type: 'refuse' };
  if (file.tail >= need) return { type: 'write' };
  if (!records) return { type: 'extend', ballastStays: 0 };
  return { type: 'extend', ballastStays: scarce ? disk.reserve * KEPT_SHARE : disk.reserve };
}
