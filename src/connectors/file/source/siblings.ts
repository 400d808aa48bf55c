/** Files beside a followed one: where it went when it was renamed, and what came between it and its successor. */
import type { Stats } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { closeQuietly, errnoOf, isOutOfFiles, openForReading, statOrNull } from '../fs-calls.js';
import { headMatches, identityOf, readHead, sameInode, type FileOrigin } from './origin.js';
import { isRotatedName } from './rotated-names.js';

export interface Sibling {
  readonly path: string;
  readonly stats: Stats;
}

/** Regular files in the same folder with a name that `path` may have been given when it was rotated. */
export async function rotatedSiblings(path: string): Promise<Sibling[]> {
  const folder = dirname(path);
  const found: Sibling[] = [];
  for (const name of await names(folder)) {
    if (!isRotatedName(name, path)) continue;
    const sibling = join(folder, name);
    const stats = await statOrUnreadable(sibling);
    if (stats?.isFile() === true) found.push({ path: sibling, stats });
  }
  return found;
}

/**
 * Those that were made after a file and last written after it, the oldest first: they had the same path one after the
 * other. Clocks of file systems tick slowly, so equal times count; what was read before is known by its inode.
 */
export function madeAfter(file: Stats, siblings: readonly Sibling[]): Sibling[] {
  return siblings
    .filter(
      ({ stats }) => stats.size > 0 && stats.birthtimeMs >= file.birthtimeMs && stats.mtimeMs >= file.mtimeMs,
    )
    .filter(({ stats }) => !sameInode(identityOf(file), stats))
    .sort((a, b) => a.stats.birthtimeMs - b.stats.birthtimeMs || a.stats.mtimeMs - b.stats.mtimeMs);
}

/** The file a position belongs to, under whatever name it has now, in the folder of `path` or of what it links to. */
export async function locate(origin: FileOrigin, path: string, atLeast: number): Promise<string | null> {
  const folders = new Set([dirname(path), await realFolder(path)]);
  for (const folder of folders) {
    for (const name of await names(folder)) {
      const candidate = join(folder, name);
      const stats = await statOrUnreadable(candidate);
      if (stats?.isFile() === true && sameInode(origin, stats) && stats.size >= atLeast) {
        if (await beginsAs(origin, candidate)) return candidate;
      }
    }
  }
  return null;
}

/** Whether the file at `path` begins with the bytes of `origin`. False when it cannot be read. */
export async function beginsAs(origin: FileOrigin, path: string): Promise<boolean> {
  let fd: number;
  try {
    fd = await openForReading(path);
  } catch (error) {
    if (isOutOfFiles(error)) throw error;
    return false;
  }
  try {
    return headMatches(origin, await readHead(fd));
  } finally {
    closeQuietly(fd);
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // Taken for an empty folder, what is in it would be passed over.
    if (isOutOfFiles(error)) throw error;
    return [];
  }
}

async function statOrUnreadable(path: string): Promise<Stats | null> {
  try {
    return await statOrNull(path);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}

async function realFolder(path: string): Promise<string> {
  try {
    return dirname(await realpath(path));
  } catch {
    return dirname(path);
  }
}
