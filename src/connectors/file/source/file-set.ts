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
  /** Of each given path, in their order: those of one number belong to one task. null: by their names alone. */
  readonly groups: readonly number[] | null;
}

type Patterns = Pick<SourceSettings, 'paths' | 'globs' | 'exclude'>;

/**
 * One for each task that has something to do, to be read by `parseShare`. With patterns that is not known: files may
 * appear. Paths that lead to one file are dealt to one task, by how they lead now: were each task to look for itself,
 * a link that moves could belong to none.
 */
export async function shareTexts(patterns: Patterns, maxTasks: number): Promise<string[]> {
  const groups = patterns.globs.length > 0 ? null : await groupsOf(patterns.paths);
  const count = groups === null ? maxTasks : Math.max(1, Math.min(maxTasks, Math.max(...groups) + 1));
  const dealt = groups === null || count === 1 ? '' : `:${groups.join(',')}`;
  return Array.from({ length: count }, (_, index) => `${index}/${count}${dealt}`);
}

export function parseShare(text: string | undefined): Share {
  const match = /^(\d{1,6})\/(\d{1,6})(?::(\d+(?:,\d+)*))?$/.exec(text ?? '0/1');
  const index = Number(match?.[1]);
  const count = Number(match?.[2]);
  if (match === null || index >= count) {
    throw new ConnectError(`the task's share "${text}" is not of the form index/count:groups`, {
      code: 'FILE_BAD_SHARE',
    });
  }
  return { index, count, groups: match[3]?.split(',').map(Number) ?? null };
}

/** Expands the patterns anew at each scan. */
export class FileSet {
  readonly #patterns: Patterns;
  readonly #share: Share;
  /** Paths that were given, each with the one that its rotation began at. */
  readonly #origins: ReadonlyMap<string, string>;
  /** Of given paths, where there are no patterns. */
  readonly #numbers: ReadonlyMap<string, number>;
  #matched: ReadonlySet<string> = new Set();
  /** Links, each with the path that is followed as well and that leads to the same file. */
  #targets: ReadonlyMap<string, string> = new Map();

  constructor(patterns: Patterns, share: Share) {
    this.#patterns = patterns;
    this.#share = share;
    this.#origins = originsOf(patterns.paths);
    const families = [...new Set(this.#origins.values())].sort();
    this.#numbers = new Map(
      patterns.paths.map((path, at) => [
        path,
        share.groups?.[at] ?? families.indexOf(this.#origins.get(path) ?? path),
      ]),
    );
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
    // Those given may be links as well.
    const links = new Set(this.#patterns.paths);
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
    const number =
      this.#patterns.globs.length > 0 ? hash(familyOf(this.#originOf(path))) : this.#numbers.get(path);
    return (number ?? 0) % count === index;
  }

  #originOf(path: string): string {
    const target = this.#targets.get(path) ?? path;
    return this.#origins.get(target) ?? target;
  }
}

/** Folders may be links, too. Of several links to a file that is not followed by its own name the first stands for it. */
async function targetsAmong(
  found: ReadonlySet<string>,
  links: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const targets = new Map<string, string>();
  if (links.size === 0) return targets;
  const folders = new Map<string, string>();
  const byRealPath = new Map<string, string>();
  const inRealFolder = async (path: string): Promise<string> => {
    const folder = dirname(path);
    const real = folders.get(folder) ?? (await realPath(folder)) ?? folder;
    folders.set(folder, real);
    return join(real, basename(path));
  };
  for (const path of found) if (!links.has(path)) byRealPath.set(await inRealFolder(path), path);
  const sorted = [...links].sort();
  const reals = new Map<string, string>();
  for (const link of sorted) {
    const real = await realPath(link);
    if (real === null) continue;
    reals.set(link, real);
    // A path that was given, and is no link.
    if (real === (await inRealFolder(link)) && !byRealPath.has(real)) byRealPath.set(real, link);
  }
  for (const [link, real] of reals) {
    const target = byRealPath.get(real);
    if (target === undefined) byRealPath.set(real, link);
    else if (target !== link) targets.set(link, target);
  }
  return targets;
}

/** A number for each path, from 0, the same for those of one rotation and for those that lead to one file. */
async function groupsOf(paths: readonly string[]): Promise<number[]> {
  const origins = originsOf(paths);
  const targets = await targetsAmong(new Set(paths), new Set(paths));
  const familyFor = (path: string): string => {
    const target = targets.get(path) ?? path;
    return origins.get(target) ?? target;
  };
  const families = [...new Set(paths.map(familyFor))].sort();
  return paths.map((path) => families.indexOf(familyFor(path)));
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
