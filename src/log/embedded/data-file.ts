/**
 * A look at lmdb's data file before lmdb opens it: on a file that is not its own, lmdb's binding ends the process
 * (segmentation fault), and so does reading behind the end of a file that was cut (SIGBUS).
 */
import { closeSync, fstatSync, openSync, readSync, statSync, writeSync } from 'node:fs';

import { LogError } from '../log.js';

/** Offsets in a meta page, of which there is one at 0 and one at the page size. */
const MAGIC_AT = 24;
const VERSION_AT = 28;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const META_BYTES = 168;
const MAGIC = 0xbeefc0de;
const VERSION = 2;

/**
 * The file may end before its last page: pages that one transaction took and gave back are counted, not written.
 * More than a transaction can take is missing data.
 */
const MAX_UNWRITTEN_BYTES = 64 * 1024 * 1024;

/** Checks a file that has content. LogError LOG_CORRUPT. */
export function checkDataFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    const first = readMeta(file, 0, path);
    const second = readMeta(file, first.pageSize, path);
    const lastPage = Math.max(first.lastPage, second.lastPage);
    const missing = (lastPage + 1) * first.pageSize - fstatSync(file).size;
    if (missing > MAX_UNWRITTEN_BYTES) throw notReadable(path, `${missing} bytes are missing at its end`);
    if (missing > 0) extend(path, missing);
  } finally {
    closeSync(file);
  }
}

function readMeta(
  file: number,
  at: number,
  path: string,
): { readonly pageSize: number; readonly lastPage: number } {
  const bytes = Buffer.alloc(META_BYTES);
  if (readSync(file, bytes, 0, META_BYTES, at) < META_BYTES)
    throw notReadable(path, 'it is shorter than its header');
  if (bytes.readUInt32LE(MAGIC_AT) !== MAGIC) throw notReadable(path, 'it is not a data file of lmdb');
  const version = bytes.readUInt16LE(VERSION_AT);
  if (version !== VERSION)
    throw notReadable(path, `it has version ${version} of lmdb's format, not ${VERSION}`);
  const pageSize = bytes.readUInt32LE(PAGE_SIZE_AT);
  const lastPage = Number(bytes.readBigUInt64LE(LAST_PAGE_AT));
  const plausible =
    pageSize >= 512 &&
    pageSize <= 65536 &&
    (pageSize & (pageSize - 1)) === 0 &&
    Number.isSafeInteger(lastPage * pageSize);
  if (!plausible) throw notReadable(path, 'its header makes no sense');
  return { pageSize, lastPage };
}

/**
 * With zeros, which lmdb and the checksums of batches recognise as damage if data was there. Appended, never
 * truncated to a size: another process may be writing.
 */
function extend(path: string, bytes: number): void {
  const file = openSync(path, 'a');
  try {
    for (let left = bytes; left > 0;) left -= writeSync(file, Buffer.alloc(Math.min(left, 1024 * 1024)));
  } finally {
    closeSync(file);
  }
}

/** Whether the name still stands for the open file. */
export function isNameOf(path: string, file: number): boolean {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  const open = fstatSync(file, { bigint: true });
  return found !== undefined && found.ino === open.ino && found.dev === open.dev;
}

/** What is written to a file without a name is gone when the process ends, however well it was flushed. */
export function lostFile(path: string, code: 'LOG_CORRUPT' | 'LOG_IO'): LogError {
  return new LogError(
    code,
    `${path} was deleted, or another file put in its place, while the node ran: what it wrote now would be lost, so it refuses to. ` +
      `Put the log's folder back as it was, or stop the node and start it again to begin with what is there`,
  );
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function notReadable(path: string, what: string): LogError {
  return new LogError(
    'LOG_CORRUPT',
    `${path} cannot be read as a log: ${what}. It was left as it is. Restore the log's folder from a copy, or move it ` +
      `away to begin with an empty log`,
  );
}
