/**
 * Positions of files that were deleted while nobody followed them. A tail retires that of a file which it sees go; these
 * would stay for ever.
 *
 * To forget one too soon is to read its file again, so all of this must hold: the path was away twice, some time apart;
 * its folder is there, on the file's own disk, and no file of it or of what rotation made of it is known under another
 * name; and of that disk some other file is where a position says, which shows that this is not another node, or a mount
 * that is missing.
 */
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { SourceTaskContext } from '../../../sdk/index.js';
import { errnoOf, statOrNull } from '../fs-calls.js';
import { inodeKey, isFile, parsePosition, type FileOrigin } from './origin.js';
import { isRotatedName } from './rotated-names.js';
import { goesOn, type Sibling } from './siblings.js';

/** Records wait meanwhile. */
const SLICE_MS = 20;
const STATS_AT_ONCE = 32;
/** Looking through a larger folder would take seconds. */
const MAX_LISTED = 20_000;

interface Left {
  readonly path: string;
  readonly origin: FileOrigin;
}

export interface LeftPositionsOptions {
  readonly positions: ReturnType<SourceTaskContext['positions']>;
  /** A path that this task would follow by a pattern, and that nobody named. */
  readonly isMine: (path: string) => boolean;
  readonly isFollowed: (path: string) => boolean;
  /** What the patterns match now, for all tasks. */
  readonly matched: () => Iterable<string>;
  /** Relative to the folder of a file. */
  readonly rotatedFolders: readonly string[];
  readonly retire: (path: string) => void;
  /** So long after the first look comes the second. */
  readonly graceMs: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Longer than a rotation takes, and a server of files to start anew. */
export const LEFT_GRACE_MS = 600_000;

/** Looks at all once when it begins, and after a while again at those that were away. */
export class LeftPositions {
  readonly #options: LeftPositionsOptions;
  #away: Left[] = [];
  /** Disks of which a file was found. */
  readonly #here = new Set<number>();
  #left: readonly Left[];
  #at = 0;
  /** The second look. */
  #again: { readonly from: number } | null = null;
  #matched: ReadonlySet<string> | 'unknown' | null = null;
  /** Folders around the file that was looked at last. */
  readonly #listed = new Map<string, readonly Sibling[] | null>();
  #folder = '';

  constructor(options: LeftPositionsOptions) {
    this.#options = options;
    this.#left = options.positions.flatMap(leftOf);
  }

  /** A part of the work, when some is due. */
  async look(signal: AbortSignal): Promise<void> {
    const { now } = this.#options;
    const until = now() + SLICE_MS;
    if (this.#again !== null && now() < this.#again.from) return;
    while (!signal.aborted && this.#at < this.#left.length) {
      const left = this.#left[this.#at];
      this.#at += 1;
      if (left !== undefined) await (this.#again === null ? this.#first(left) : this.#second(left));
      if (now() >= until) return;
    }
    if (this.#at < this.#left.length) return;
    if (this.#again === null) this.#lookAgain();
    else this.#left = [];
  }

  #lookAgain(): void {
    this.#left = this.#away
      .filter(({ origin }) => this.#here.has(origin.dev))
      .sort((a, b) => (dirname(a.path) < dirname(b.path) ? -1 : 1));
    this.#away = [];
    this.#at = 0;
    this.#again = { from: this.#options.now() + this.#options.graceMs };
  }

  async #first(left: Left): Promise<void> {
    const { path, origin } = left;
    if (await isAway(path)) {
      if (this.#options.isMine(path)) this.#away.push(left);
    } else if (!this.#here.has(origin.dev) && origin.headBytes > 0) {
      const stats = await stat(path).catch(() => null);
      if (stats !== null && isFile(origin, stats) && (await goesOn(origin, path))) this.#here.add(origin.dev);
    }
  }

  async #second(left: Left): Promise<void> {
    if (!this.#options.isFollowed(left.path) && (await this.#isGone(left))) this.#options.retire(left.path);
  }

  async #isGone({ path, origin }: Left): Promise<boolean> {
    const folder = dirname(path);
    const disk = await stat(folder).catch(() => null);
    if (!(await isAway(path)) || disk?.dev !== origin.dev) return false;
    const known = [origin, ...(origin.finished ?? [])];
    const matched = await this.#inodesMatched();
    if (matched === 'unknown' || known.some((item) => matched.has(inodeKey(item)))) return false;
    const others = this.#options.rotatedFolders.map((other) => resolve(folder, other));
    for (const item of [folder, ...others]) {
      const files = await this.#list(item, folder);
      if (files === null || files.some((file) => isOf(file, path, known, origin))) return false;
    }
    return true;
  }

  /** A file that was moved is known by the position under its old path until it has one of its own. */
  async #inodesMatched(): Promise<ReadonlySet<string> | 'unknown'> {
    if (this.#matched === null) {
      const files = await statAll([...this.#options.matched()]);
      const keys = files?.map(({ stats: { dev, ino: inode } }) => inodeKey({ dev, inode }));
      this.#matched = keys === undefined ? 'unknown' : new Set(keys);
    }
    return this.#matched;
  }

  /** null: what is in it is not known. */
  async #list(folder: string, around: string): Promise<readonly Sibling[] | null> {
    if (this.#folder !== around) this.#listed.clear();
    this.#folder = around;
    const listed = this.#listed.get(folder);
    if (listed !== undefined) return listed;
    const files = await filesIn(folder);
    this.#listed.set(folder, files);
    return files;
  }
}

/** Whether it is one of those that are known, or may have had the path after them. */
function isOf(
  { path, stats }: Sibling,
  base: string,
  known: readonly FileOrigin[],
  { made = -Infinity }: FileOrigin,
): boolean {
  if (known.some((item) => isFile(item, stats))) return true;
  return stats.birthtimeMs >= made && isRotatedName(basename(path), basename(base));
}

/** Kafka's positions know no file, and those of other plugins are none of ours. */
function leftOf({ partition, position }: LeftPositionsOptions['positions'][number]): Left[] {
  const path = partition['file'];
  const origin = parsePosition(position)?.origin ?? null;
  if (typeof path !== 'string' || Object.keys(partition).length !== 1 || origin === null) return [];
  return [{ path, origin }];
}

/** A link that leads nowhere is not away. */
async function isAway(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ENOENT';
  }
}

async function filesIn(folder: string): Promise<readonly Sibling[] | null> {
  const names = await readdir(folder).catch(() => null);
  if (names === null || names.length > MAX_LISTED) return null;
  return statAll(names.map((name) => join(folder, name)));
}

/** Those that are there. null: the system does not tell of each. */
async function statAll(paths: readonly string[]): Promise<readonly Sibling[] | null> {
  const found: Sibling[] = [];
  for (let at = 0; at < paths.length; at += STATS_AT_ONCE) {
    const some = paths.slice(at, at + STATS_AT_ONCE);
    try {
      const all = await Promise.all(some.map(async (path) => ({ path, stats: await statOrNull(path) })));
      for (const { path, stats } of all) if (stats !== null) found.push({ path, stats });
    } catch {
      return null;
    }
  }
  return found;
}
