import { statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { BALLAST_FILE } from '../core/disk-room.js';
import { StartError } from './start-error.js';

/** For what a node writes before its log is there. */
const PIECE_BYTES = 64 * 1024;

/** Does the work once more with a piece of the log's ballast given up, where the disk was full. `logFolder` null: no log of its own. */
export function withRoom<T>(logFolder: string | null, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isFull(error) || logFolder === null || !giveUp(join(logFolder, BALLAST_FILE))) throw error;
    return work();
  }
}

function isFull(error: unknown): boolean {
  if (!(error instanceof StartError)) return false;
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
}

function giveUp(ballast: string): boolean {
  const size = statSync(ballast, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return false;
  truncateSync(ballast, Math.max(0, size - PIECE_BYTES));
  return true;
}
