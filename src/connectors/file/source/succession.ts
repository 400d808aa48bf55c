/** What is read after a file that no longer has its path. */
import type { Stats } from 'node:fs';
import type { TailShared } from './known-files.js';
import { isFile, sameInode, type Finished, type Identity } from './origin.js';
import { madeAfter, type Sibling, type Siblings } from './siblings.js';

/** Positions name so many files that had the path before and are still there. */
const MAX_FINISHED = 32;
const MAX_NAMED = 10;

/** A file that was read to its end, and what has its path now. */
export interface Rotated {
  readonly path: string;
  readonly stats: Stats;
  /** null: nothing. */
  readonly at: Stats | null;
  readonly siblings: Siblings;
  /** Files that had the path before it. */
  readonly finished: readonly Finished[];
}

/** Files that other tails take care of. */
export interface Others {
  readonly isFollowed: (path: string) => boolean;
  readonly isRead: (file: Identity) => boolean;
}

/** The next that had the path, else the one that has it now; null when there is none yet. */
export function successor(rotated: Rotated, others: Others): Sibling | null {
  const { path, stats, at } = rotated;
  const [between] = madeAfter(stats, unread(rotated, others));
  if (between !== undefined) return between;
  if (at === null || !at.isFile() || at.size === 0) return null;
  return others.isRead(inodeOf(at)) ? null : { path, stats: at };
}

/** Files that may have come between, when what has the path now is the next that can be read. */
interface PassedOver {
  readonly compressed: readonly string[];
  /** The times of files do not show their order: a clock was set, or somebody set the times. */
  readonly untimely: readonly string[];
}

export function warnOfPassedOver(
  rotated: Rotated,
  others: Others,
  { log, notes }: Pick<TailShared, 'log' | 'notes'>,
): void {
  const { compressed, untimely } = passedOver(rotated, others);
  const file = rotated.path;
  if (compressed.length > 0) {
    notes.happened('FILE_PASSED_OVER', `${compressed.join(', ')}: compressed before they were read`);
    log.warn(
      'files of this path were compressed before they were read: their lines are missing, unless they were read before; compress later (delaycompress)',
      { file, compressed },
    );
  }
  if (untimely.length > 0) {
    notes.happened('FILE_PASSED_OVER', `${untimely.join(', ')}: maybe, as their times go back`);
    log.warn(
      'the times of files go back, as when a clock was set: some of these may have come in between, and are not read',
      { file, files: untimely },
    );
  }
}

function passedOver(rotated: Rotated, others: Others): PassedOver {
  const { stats, at, siblings } = rotated;
  const later = siblings.compressed.filter(
    (item) => item.stats.birthtimeMs >= stats.birthtimeMs && item.stats.mtimeMs >= stats.mtimeMs,
  );
  // It may itself have been compressed, which leaves its time or gives a later one.
  const isGone = stats.nlink === 0;
  later.sort((a, b) => a.stats.mtimeMs - b.stats.mtimeMs);
  const isUntimely = at !== null && (at.birthtimeMs < stats.birthtimeMs || at.mtimeMs < stats.mtimeMs);
  const names = (files: readonly Sibling[]): string[] => files.slice(0, MAX_NAMED).map(({ path }) => path);
  return {
    compressed: names(isGone ? later.slice(1) : later),
    untimely: isUntimely ? names(unread(rotated, others)) : [],
  };
}

function unread({ stats, at, siblings, finished }: Rotated, others: Others): Sibling[] {
  const isKnown = (file: Stats): boolean =>
    isSame(stats, file) || (at !== null && isSame(at, file)) || finished.some((item) => isFile(item, file));
  return siblings.readable.filter(
    (sibling) =>
      sibling.stats.size > 0 &&
      !isKnown(sibling.stats) &&
      !others.isFollowed(sibling.path) &&
      !others.isRead(inodeOf(sibling.stats)),
  );
}

/** Those of the finished files that are still there: the others need no mention. */
export function stillThere(finished: readonly Finished[], siblings: readonly Sibling[]): Finished[] {
  return finished
    .filter((item) => siblings.some((sibling) => isFile(item, sibling.stats)))
    .slice(-MAX_FINISHED);
}

/** Both are there now. */
function isSame(a: Stats, b: Stats): boolean {
  return sameInode(inodeOf(a), b);
}

function inodeOf(stats: Stats): Identity {
  return { dev: stats.dev, inode: stats.ino };
}
