/** What lmdb and the system report, as LogError. */
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

import { LogError } from '../log.js';

/** lmdb's own codes. */
const MAP_FULL = -30792;
const INVALID = -30793;
const VERSION_MISMATCH = -30794;
const PANIC = -30795;
const CORRUPTED = -30796;
const PAGE_NOT_FOUND = -30797;
const ENOSPC = 28;
const EFBIG = 27;
const EDQUOT = 122;
const EACCES = 13;
const EIO = 5;
const EROFS = 30;
/** Less free space than a commit may need: lmdb reports a write that did not fit as an I/O error. */
const SCARCE_BYTES = 64 * 1024 * 1024;

/** True when the store cannot go on without being opened anew. */
export function isFatal(error: unknown): boolean {
  // After the page that says where the trees begin could not be written. lmdb's binding has a code of its own for it.
  return codeOf(error) === PANIC || (error instanceof Error && error.message.includes('MDB_PANIC'));
}

/** Of the system's own errors, as Node's functions throw them. */
export function isDiskFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === ENOSPC || code === EDQUOT || code === EFBIG;
}

/** A write of lmdb's did not go through. */
export function isFailedWrite(error: unknown): boolean {
  return isDiskFull(error) || codeOf(error) === EIO;
}

export function toLogError(error: unknown, path: string): LogError {
  if (error instanceof LogError) return error;
  const cause = { cause: error };
  const text = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  switch (code === EIO && isScarce(path) ? ENOSPC : code) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return new LogError(
        'LOG_FULL',
        `the disk that holds ${path} is full; nothing was appended. Free space there, and it goes on`,
        cause,
      );
    case MAP_FULL:
      return new LogError(
        'LOG_FULL',
        `the store at ${path} cannot map more memory; nothing was appended. Lower retention, or raise the limit on address space`,
        cause,
      );
    case VERSION_MISMATCH:
      return new LogError(
        'LOG_CORRUPT',
        `${path} was written by another version of lmdb (${text}). Use the release that wrote it, or move the log's folder away to begin with an empty log`,
        cause,
      );
    case INVALID:
    case CORRUPTED:
    case PAGE_NOT_FOUND:
      return new LogError(
        'LOG_CORRUPT',
        `${path} is damaged (${text}). Nothing was changed in it. Restore the log's folder from a copy, or move it away to begin with an empty log`,
        cause,
      );
    case EACCES:
      return new LogError(
        'LOG_IO',
        `${path} cannot be opened: permission denied. Check the owner of the log's folder`,
        cause,
      );
    case EROFS:
      return new LogError(
        'LOG_IO',
        `the disk that holds ${path} takes no writes (read-only). After an error of the disk Linux mounts it so: look at the system's log, then mount it anew`,
        cause,
      );
    default:
      return new LogError('LOG_IO', `the store at ${path} failed: ${text}`, cause);
  }
}

function isScarce(path: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize < SCARCE_BYTES;
  } catch {
    return false;
  }
}

function codeOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null) return null;
  const code: unknown = Reflect.get(error, 'code');
  if (typeof code === 'number') return code;
  // Of Node: -28 for ENOSPC.
  const errno: unknown = Reflect.get(error, 'errno');
  return typeof errno === 'number' ? -errno : null;
}
