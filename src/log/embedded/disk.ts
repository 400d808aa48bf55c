/** The disk of a store, as far as room on it matters. */
import { closeSync, constants, openSync, statSync, statfsSync, truncateSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';

export interface Disk {
  /** In bytes; null where the file system does not say. */
  space(folder: string): { readonly free: number; readonly total: number } | null;
  /** Null: there is no such file. */
  size(path: string): number | null;
  /** A part of it may be there when it throws. Zeros may take no room where the file system compresses. */
  lengthen(path: string, bytes: number, content: 'zeros' | 'noise'): void;
  shorten(path: string, to: number): void;
}

const { O_APPEND, O_CREAT, O_WRONLY } = constants;
const CHUNK = 1024 * 1024;
const PRIVATE = 0o600;
let noise: Buffer | null = null;

export const REAL_DISK: Disk = {
  space(folder) {
    try {
      const { bavail, blocks, bsize } = statfsSync(folder);
      return blocks === 0 ? null : { free: bavail * bsize, total: blocks * bsize };
    } catch {
      return null;
    }
  },
  size: (path) => statSync(path, { throwIfNoEntry: false })?.size ?? null,
  lengthen(path, bytes, content) {
    const chunk = content === 'zeros' ? Buffer.alloc(Math.min(bytes, CHUNK)) : (noise ??= randomBytes(CHUNK));
    // Appended: another process may be writing to the file. A data file that is gone is not begun anew.
    const file = openSync(path, O_WRONLY | O_APPEND | (content === 'noise' ? O_CREAT : 0), PRIVATE);
    try {
      for (let left = bytes; left > 0;) left -= writeSync(file, chunk, 0, Math.min(left, chunk.byteLength));
    } finally {
      closeSync(file);
    }
  },
  shorten: (path, to) => {
    truncateSync(path, to);
  },
};
