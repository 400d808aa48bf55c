import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it. Node's own way to do so never returns where a folder is and none can be made in it,
 * as in /proc.
 */
export function makeFolder(path: string, mode?: number): void {
  const folder = resolve(path);
  if (made(folder, mode)) return;
  const above = dirname(folder);
  makeFolder(above, mode);
  if (!made(folder, mode)) throw new Error(`no folder can be made in ${above}`);
}

/** False: there is nothing to make it in. */
function made(folder: string, mode: number | undefined): boolean {
  try {
    mkdirSync(folder, { mode });
    return true;
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? error.code : null;
    if (errno === 'ENOENT') return false;
    const there = statSync(folder, { throwIfNoEntry: false });
    // Where nothing may be made, that may be said first of a folder that is there.
    if (there?.isDirectory() === true) return true;
    if (errno === 'EEXIST' && there === undefined)
      throw new Error(`${folder} is a link that leads nowhere`, { cause: error });
    throw error;
  }
}
