/** A glob pattern → the regular files that match it now. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import picomatch from 'picomatch';
import { ConnectError } from '../../../sdk/index.js';
import { errnoOf, inputError, statOrNull } from '../fs-calls.js';
import { COMPRESSED } from './rotated-names.js';

const MAX_ENTRIES = 200_000;
const MAX_DEPTH = 32;

/** The folder below which everything happens. */
export function globBase(glob: string): string {
  const { base } = picomatch.scan(glob);
  return base === '' ? '.' : base;
}

export interface GlobEvents {
  /** A folder cannot be read. */
  readonly onTrouble: (error: Error, folder: string) => void;
  /** A name is not UTF-8, so that it can be neither told nor opened. */
  readonly onOddName: (path: string) => void;
  /** A link to a file matches. */
  readonly onLink: (path: string) => void;
}

/** Links to files match, links to folders are not entered. `exclude` is of file names. */
export async function expandGlob(
  glob: string,
  exclude: readonly string[],
  events: GlobEvents,
): Promise<string[]> {
  const { glob: pattern } = picomatch.scan(glob);
  const matches = picomatch(pattern);
  // Not matched unless the pattern itself ends so.
  const compressed = COMPRESSED.filter((ending) => !glob.endsWith(ending)).map((ending) => `*${ending}`);
  const excluded = picomatch([...exclude, ...compressed]);
  const depth = pattern.includes('**') ? MAX_DEPTH : pattern.split('/').length - 1;
  const found: string[] = [];
  let entries = 0;
  const walk = async (folder: string, below: string, left: number): Promise<void> => {
    for (const entry of await list(folder, events.onTrouble)) {
      entries += 1;
      if (entries > MAX_ENTRIES) throw tooMany(glob, `a tree of ${MAX_ENTRIES} entries`);
      const relative = below === '' ? entry.name : `${below}/${entry.name}`;
      const path = join(folder, entry.name);
      if (await isOdd(entry.name, path)) {
        events.onOddName(path);
        continue;
      }
      if (entry.isDirectory()) {
        if (left > 0) await walk(path, relative, left - 1);
      } else if (matches(relative) && !excluded(basename(path)) && (await isRegular(entry, path))) {
        found.push(path);
        if (entry.isSymbolicLink()) events.onLink(path);
      }
    }
  };
  await walk(globBase(glob), '', depth);
  return found;
}

export function tooMany(glob: string, what: string): ConnectError {
  return new ConnectError(
    `the pattern ${glob} reaches more than ${what}: narrow it, or use several connectors`,
    {
      code: 'FILE_TOO_MANY',
    },
  );
}

async function list(folder: string, onTrouble: GlobEvents['onTrouble']): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') onTrouble(inputError(error, folder), folder);
    return [];
  }
}

/** What stands for bytes that are not UTF-8 is in the name, and there is no file of that name. */
async function isOdd(name: string, path: string): Promise<boolean> {
  if (!name.includes('\uFFFD')) return false;
  return (await statOrNull(path).catch(() => null)) === null;
}

async function isRegular(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  try {
    return (await statOrNull(path))?.isFile() ?? false;
  } catch {
    return false;
  }
}
