/** What is read after a file that no longer has its path. */
import type { Stats } from 'node:fs';
import { isFile, sameInode, type Finished, type Identity } from './origin.js';
import { madeAfter, type Sibling } from './siblings.js';

/** Positions name so many files that had the path before and are still there. */
const MAX_FINISHED = 32;

/** A file that was read to its end, and what has its path now. */
export interface Rotated {
  readonly path: string;
  readonly stats: Stats;
  /** null: nothing. */
  readonly at: Stats | null;
  readonly siblings: readonly Sibling[];
  /** Files that had the path before it. */
  readonly finished: readonly Finished[];
}

/** Files that other tails take care of. */
export interface Others {
  readonly isFollowed: (path: string) => boolean;
  readonly isRead: (file: Identity) => boolean;
}

/** The next that had the path, else the one that has it now; null when there is none yet. */
export function successor({ path, stats, at, siblings, finished }: Rotated, others: Others): Sibling | null {
  const isKnown = (file: Stats): boolean =>
    isSame(stats, file) || (at !== null && isSame(at, file)) || finished.some((item) => isFile(item, file));
  const between = madeAfter(stats, siblings).find(
    (sibling) =>
      !isKnown(sibling.stats) && !others.isFollowed(sibling.path) && !others.isRead(inodeOf(sibling.stats)),
  );
  if (between !== undefined) return between;
  if (at === null || !at.isFile() || at.size === 0) return null;
  return others.isRead(inodeOf(at)) ? null : { path, stats: at };
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
