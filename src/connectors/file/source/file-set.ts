/** Which files a task follows: paths and patterns, and its share of them. */
import { basename, dirname, join } from 'node:path';
import { ConnectError } from '../../../sdk/index.js';
import { expandGlob, globBase, tooMany, type GlobEvents } from './expand-glob.js';
import { familyOf, isRotatedName } from './rotated-names.js';
import { realPath } from './siblings.js';
import type { SourceSettings } from './source-settings.js';

const MAX_FILES = 10_000;

/** Part `index` of `count`. */
export interface Share {
  readonly index: number;
  readonly count: number;
}

type Patterns = Pick<SourceSettings, 'paths' | 'globs' | 'exclude'>;

/** How many tasks have something to do. With patterns that is not known: files may appear. */
export function usefulTasks(patterns: Patterns, maxTasks: number): number {
  if (patterns.globs.length > 0) return maxTasks;
  return Math.max(1, Math.min(maxTasks, new Set(originsOf(patterns.paths).values()).size));
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
  /** Paths that were given, each with the one that its rotation began at. */
  readonly #origins: ReadonlyMap<string, string>;
  readonly #families: readonly string[];
  #matched: ReadonlySet<string> = new Set();
  /** Links that match, each with the path that matches as well and that it leads to. */
  #targets: ReadonlyMap<string, string> = new Map();

  constructor(patterns: Patterns, share: Share) {
    this.#patterns = patterns;
    this.#share = share;
    this.#origins = originsOf(patterns.paths);
    this.#families = [...new Set(this.#origins.values())].sort();
  }

  get changes(): boolean {
    return this.#patterns.globs.length > 0;
  }

  /**
   * This task's paths: those given, whether or not they exist, and regular files that match a pattern. What cannot be
   * read or named is told of and passed over. null: nothing matches, for no task.
   */
  async scan(events: Omit<GlobEvents, 'onLink'>): Promise<string[] | null> {
    const found = new Set(this.#patterns.paths);
    const links = new Set<string>();
    const onLink = (path: string): void => void links.add(path);
    for (const glob of this.#patterns.globs) {
      const paths = await expandGlob(glob, this.#patterns.exclude, { ...events, onLink });
      for (const path of paths) found.add(path);
      if (found.size > MAX_FILES) throw tooMany(glob, `${MAX_FILES} files`);
    }
    this.#matched = found;
    if (this.#share.count > 1) this.#targets = await targetsAmong(found, links);
    return found.size === 0 ? null : [...found].filter((path) => this.isMine(path)).sort();
  }

  /** By the last scan, for all tasks. */
  get matched(): ReadonlySet<string> {
    return this.#matched;
  }

  isGiven(path: string): boolean {
    return this.#patterns.paths.includes(path);
  }

  /** The folders in which something may happen. */
  folders(): string[] {
    const folders = this.#patterns.paths.map((path) => dirname(path));
    for (const glob of this.#patterns.globs) folders.push(globBase(glob));
    return [...new Set(folders)];
  }

  /**
   * All files of one rotation belong to one task, or it could not know what was read of a file under its old name; so do a
   * file and a link to it, or both names would be read.
   * Given paths are dealt out in turn; matched ones by a hash, so that a new file moves no other.
   */
  isMine(path: string): boolean {
    const { index, count } = this.#share;
    if (count === 1) return true;
    const origin = this.#origins.get(path) ?? this.#targets.get(path) ?? path;
    const number = this.#patterns.globs.length > 0 ? hash(familyOf(origin)) : this.#families.indexOf(origin);
    return number % count === index;
  }
}

/** Folders may be links, too. */
async function targetsAmong(
  found: ReadonlySet<string>,
  links: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const targets = new Map<string, string>();
  if (links.size === 0) return targets;
  const folders = new Map<string, string>();
  const byRealPath = new Map<string, string>();
  for (const path of found) {
    if (links.has(path)) continue;
    const folder = dirname(path);
    const real = folders.get(folder) ?? (await realPath(folder)) ?? folder;
    folders.set(folder, real);
    byRealPath.set(join(real, basename(path)), path);
  }
  for (const link of links) {
    const target = byRealPath.get((await realPath(link)) ?? '');
    if (target !== undefined) targets.set(link, target);
  }
  return targets;
}

/** A path that was given is taken for itself, unless it is what rotation makes of another. */
function originsOf(paths: readonly string[]): Map<string, string> {
  const isPieceOf = (path: string, other: string): boolean =>
    dirname(path) === dirname(other) && isRotatedName(basename(path), basename(other));
  return new Map(paths.map((path) => [path, paths.find((other) => isPieceOf(path, other)) ?? path]));
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
