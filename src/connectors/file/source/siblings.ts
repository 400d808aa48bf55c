/** Files beside a followed one: where it went when it was renamed, and what came between it and its successor. */
import type { Stats } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { closeQuietly, errnoOf, isOutOfFiles, openForReading, statOrNull } from '../fs-calls.js';
import { hasContent, isFile, type FileOrigin, type Identity } from './origin.js';
import { isRotatedName, nameBeforeCompression, schemeOf, sharesStem } from './rotated-names.js';

export interface Sibling {
  readonly path: string;
  readonly stats: Stats;
}

/** Files that may have had a path once. */
export interface Siblings {
  readonly readable: readonly Sibling[];
  readonly compressed: readonly Sibling[];
}

/** Where the files are that once had a path: beside it, beside what it links to, and where rotation moves them. */
export interface Surroundings {
  /** The path as it was given, and what it links to, or linked to last. */
  readonly paths: readonly string[];
  readonly folders: readonly string[];
  readonly onTrouble: (folder: string, error: unknown) => void;
}

/** `moved`: folders that rotation moves files into, relative to that of the path. */
export async function surroundings(
  path: string,
  real: string | null,
  moved: readonly string[],
  onTrouble: Surroundings['onTrouble'],
): Promise<Surroundings> {
  const paths = [...new Set([path, (await realPath(path)) ?? real ?? path])];
  const folders = paths.map((item) => dirname(item));
  const others = folders.flatMap((folder) => moved.map((item) => resolve(folder, item)));
  return { paths, folders: [...new Set([...folders, ...others])], onTrouble };
}

/** null when nothing is there. */
export async function realPath(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch {
    return null;
  }
}

/**
 * Regular files that may have had the path once. Where the file that had it last is among them, its name shows how
 * they are named.
 */
export async function rotatedSiblings(around: Surroundings, last: Identity): Promise<Siblings> {
  const found: Sibling[] = [];
  for (const folder of around.folders) {
    for (const name of await names(folder, around)) {
      const path = join(folder, name);
      if (around.paths.includes(path)) continue;
      if (!around.paths.some((item) => mayComeFrom(plainName(name), item))) continue;
      const stats = await statOrUnreadable(path);
      if (stats?.isFile() === true) found.push({ path, stats });
    }
  }
  const sample = found.find(({ stats }) => isFile(last, stats))?.path;
  const schemes = around.paths.map((item) => schemeFor(basename(item), sample));
  const rotated = found.filter(({ path }) => schemes.some((belongs) => belongs(plainName(basename(path)))));
  const isCompressed = ({ path }: Sibling): boolean => nameBeforeCompression(basename(path)) !== null;
  return {
    readable: rotated.filter((sibling) => !isCompressed(sibling)),
    compressed: rotated.filter(isCompressed),
  };
}

function plainName(name: string): string {
  return nameBeforeCompression(name) ?? name;
}

function mayComeFrom(name: string, path: string): boolean {
  return name === basename(path) || sharesStem(name, basename(path));
}

function schemeFor(base: string, sample: string | undefined): (name: string) => boolean {
  if (sample === undefined) return (name) => isRotatedName(name, base);
  const name = basename(sample);
  if (name === base) return (other) => other === base || isRotatedName(other, base);
  return sharesStem(name, base) ? schemeOf(name, base) : () => false;
}

/**
 * Those that were made after a file and last written after it, the oldest first: they had the same path one after the
 * other. Clocks of file systems tick slowly, so equal times count; what was read before is known by its inode.
 */
export function madeAfter(
  file: Pick<Stats, 'birthtimeMs' | 'mtimeMs'>,
  siblings: readonly Sibling[],
): Sibling[] {
  return siblings
    .filter(
      ({ stats }) => stats.size > 0 && stats.birthtimeMs >= file.birthtimeMs && stats.mtimeMs >= file.mtimeMs,
    )
    .sort((a, b) => a.stats.birthtimeMs - b.stats.birthtimeMs || a.stats.mtimeMs - b.stats.mtimeMs);
}

/** The file a position belongs to, under whatever name it has now. */
export async function locate(
  origin: FileOrigin,
  around: Surroundings,
  atLeast: number,
): Promise<string | null> {
  for (const folder of around.folders) {
    for (const name of await names(folder, around)) {
      const candidate = join(folder, name);
      const stats = await statOrUnreadable(candidate);
      if (stats?.isFile() === true && isFile(origin, stats) && stats.size >= atLeast) {
        if (await goesOn(origin, candidate)) return candidate;
      }
    }
  }
  return null;
}

/** Whether the file at `path` holds what was read of `origin`. False when it cannot be read. */
export async function goesOn(origin: FileOrigin, path: string): Promise<boolean> {
  let fd: number;
  try {
    fd = await openForReading(path);
  } catch (error) {
    if (isOutOfFiles(error)) throw error;
    return false;
  }
  try {
    return await hasContent(fd, origin);
  } finally {
    closeQuietly(fd);
  }
}

/** A folder that may be entered but not listed hides what is in it: that is said, and the rest goes on. */
async function names(folder: string, { onTrouble }: Surroundings): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // Taken for an empty folder, what is in it would be passed over.
    if (isOutOfFiles(error)) throw error;
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') onTrouble(folder, error);
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
