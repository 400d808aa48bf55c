/** Which files a task follows: paths and patterns, and its share of them. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import picomatch from 'picomatch';
import { ConnectError } from '../../sdk/index.js';
import { errnoOf, inputError, statOrNull } from './fs-calls.js';
import { familyOf } from './rotated-names.js';
import type { SourceSettings } from './source-config.js';

const MAX_FILES = 10_000;
const MAX_ENTRIES = 200_000;
const MAX_DEPTH = 32;

/** Part `index` of `count`. */
export interface Share {
  readonly index: number;
  readonly count: number;
}

export const WHOLE: Share = { index: 0, count: 1 };

type Patterns = Pick<SourceSettings, 'paths' | 'globs' | 'exclude'>;

/** How many tasks have something to do. With patterns that is not known: files may appear. */
export function usefulTasks(patterns: Patterns, maxTasks: number): number {
  if (patterns.globs.length > 0) return maxTasks;
  return Math.max(1, Math.min(maxTasks, familiesOf(patterns.paths).length));
}

/** `text` as `shareText` wrote it. */
export function parseShare(text: string | undefined): Share {
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text ?? '0/1');
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match === null || index >= count) {
    throw new ConnectError(`the task's share "${text}" is not of the form index/count`, {
      code: 'FILE_BAD_SHARE',
    });
  }
  return { index, count };
}

export function shareText(share: Share): string {
  return `${share.index}/${share.count}`;
}

/** Expands the patterns anew at each scan. */
export class FileSet {
  readonly #patterns: Patterns;
  readonly #share: Share;
  readonly #families: readonly string[];

  constructor(patterns: Patterns, share: Share) {
    this.#patterns = patterns;
    this.#share = share;
    this.#families = familiesOf(patterns.paths);
  }

  get changes(): boolean {
    return this.#patterns.globs.length > 0;
  }

  /** This task's paths: those given, whether or not they exist, and regular files that match a pattern. */
  async scan(): Promise<string[]> {
    const found = new Set(this.#patterns.paths);
    for (const glob of this.#patterns.globs) {
      for (const path of await expand(glob, this.#patterns.exclude)) found.add(path);
      if (found.size > MAX_FILES) throw tooMany(glob, `${MAX_FILES} files`);
    }
    return [...found].filter((path) => this.#isMine(path)).sort();
  }

  isGiven(path: string): boolean {
    return this.#patterns.paths.includes(path);
  }

  /** The folders in which something may happen. */
  folders(): string[] {
    const folders = this.#patterns.paths.map((path) => dirname(path));
    for (const glob of this.#patterns.globs) folders.push(picomatch.scan(glob).base || '.');
    return [...new Set(folders)];
  }

  /**
   * All files of one rotation belong to one task, or it could not know what was read of a file under its old name.
   * Given paths are dealt out in turn; matched ones by a hash, so that a new file moves no other.
   */
  #isMine(path: string): boolean {
    const { index, count } = this.#share;
    if (count === 1) return true;
    const family = familyOf(path);
    const number = this.#patterns.globs.length > 0 ? hash(family) : this.#families.indexOf(family);
    return number % count === index;
  }
}

function familiesOf(paths: readonly string[]): string[] {
  return [...new Set(paths.map(familyOf))].sort();
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}

async function expand(glob: string, exclude: readonly string[]): Promise<string[]> {
  const { base, glob: pattern } = picomatch.scan(glob);
  const matches = picomatch(pattern);
  const excluded = exclude.length === 0 ? () => false : picomatch([...exclude]);
  const depth = pattern.includes('**') ? MAX_DEPTH : pattern.split('/').length - 1;
  const found: string[] = [];
  let entries = 0;
  const walk = async (folder: string, below: string, left: number): Promise<void> => {
    for (const entry of await list(folder)) {
      entries += 1;
      if (entries > MAX_ENTRIES) throw tooMany(glob, `a tree of ${MAX_ENTRIES} entries`);
      const relative = below === '' ? entry.name : `${below}/${entry.name}`;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (left > 0) await walk(path, relative, left - 1);
      } else if (matches(relative) && !excluded(basename(path)) && (await isRegular(entry, path)))
        found.push(path);
    }
  };
  await walk(base === '' ? `.${sep}` : base, '', depth);
  return found;
}

async function list(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return [];
    throw inputError(error, folder);
  }
}

async function isRegular(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isFile();
  return (await statOrNull(path))?.isFile() ?? false;
}

function tooMany(glob: string, what: string): ConnectError {
  return new ConnectError(
    `the pattern ${glob} reaches more than ${what}: narrow it, or use several connectors`,
    {
      code: 'FILE_TOO_MANY',
    },
  );
}
