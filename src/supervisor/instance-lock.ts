import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from './make-folder.js';
import { pathProblem } from './start-error.js';

/** Another process runs as this worker, or in this folder. */
class InstanceLockError extends Error {
  override readonly name = 'InstanceLockError';
  readonly code = 'NODE_ALREADY_RUNNING';
}

export interface Instance {
  readonly workerId: string;
  /** Folder of this node alone: two would write over each other's files. */
  readonly ownFolder: string;
  /** Folder that a cluster's nodes share, null when they share none: two of one id would put each other out of the cluster. */
  readonly sharedFolder: string | null;
}

/** Returns the release. A lock whose process is gone is taken over. */
export function lockInstance({ workerId, ownFolder, sharedFolder }: Instance): () => void {
  const content = `${process.pid} ${startTime(process.pid) ?? '-'} ${workerId}`;
  const unlockFolder = take(
    ['storePathRootDir', ownFolder],
    'node.lock',
    content,
    ({ pid, worker }) =>
      `the node ${worker} (process ${pid}) already runs on ${ownFolder}: stop it, or give this node a storePathRootDir ` +
      'of its own (nodes of a cluster share store.path)',
  );
  if (sharedFolder === null) return unlockFolder;
  try {
    const unlockWorker = take(
      ['store.path', sharedFolder],
      `${encodeURIComponent(workerId)}.lock`,
      content,
      ({ pid }) =>
        `a node with workerId ${workerId} (process ${pid}) already runs on ${sharedFolder}: stop it, or give this node ` +
        'another workerId',
    );
    return () => {
      unlockWorker();
      unlockFolder();
    };
  } catch (error) {
    unlockFolder();
    throw error;
  }
}

interface Holder {
  readonly pid: number;
  readonly started: string;
  readonly worker: string;
}

function take(
  [key, folder]: readonly [key: string, folder: string],
  name: string,
  content: string,
  held: (by: Holder) => string,
): () => void {
  const path = join(folder, name);
  let holder: Holder | null;
  try {
    makeFolder(folder, 0o700);
    holder = acquire(path, content);
  } catch (error) {
    if (error instanceof InstanceLockError) throw error;
    throw pathProblem('FOLDER_UNUSABLE', key, folder, 'cannot be used as a folder to write to', error);
  }
  if (holder !== null) throw new InstanceLockError(held(holder));
  return () => {
    if (readLock(path) === content) rmSync(path, { force: true });
  };
}

/** Null: the lock is ours; else who has it. */
function acquire(path: string, content: string): Holder | null {
  if (create(path, content)) return null;
  const holder = parse(readLock(path));
  if (holder !== null && alive(holder)) return holder;
  // Two may find the same lock stale: only who holds its takeover, a lock like any other, replaces it.
  const takeover = `${path}.takeover`;
  const rival = acquire(takeover, content);
  if (rival !== null) return rival;
  try {
    return replaceStale(path, content);
  } finally {
    rmSync(takeover, { force: true });
  }
}

/** Nobody else replaces the lock meanwhile, so a stale one stays as it was read. */
function replaceStale(path: string, content: string): Holder | null {
  const holder = parse(readLock(path));
  if (holder !== null && alive(holder)) return holder;
  if (holder !== null) {
    renameSync(writeAside(path, content), path);
    return null;
  }
  if (create(path, content)) return null;
  throw new InstanceLockError(`${path} cannot be taken: another node is starting there`);
}

/** At once with its content, so that nobody reads a part of it. False: there is one. */
function create(path: string, content: string): boolean {
  const aside = writeAside(path, content);
  try {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (isExisting(error)) return false;
      // A file system without hard links.
      writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
    }
    return true;
  } catch (error) {
    if (isExisting(error)) return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function writeAside(path: string, content: string): string {
  const aside = `${path}.${randomUUID()}`;
  try {
    writeFileSync(aside, content, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    // On a full disk it is there, and empty: a node that is started again and again would leave one each time.
    rmSync(aside, { force: true });
    throw error;
  }
  return aside;
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

function readLock(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function parse(text: string | null): Holder | null {
  const [pid, started = '-', worker = '?'] = text?.split(' ') ?? [];
  return pid === undefined ? null : { pid: Number(pid), started, worker };
}

function alive({ pid, started }: Holder): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const stat = statOf(pid);
  // It has ended, and only its parent has not asked how: a container's first process may never do so.
  if (stat?.[STATE] === 'Z' || stat?.[STATE] === 'X') return false;
  // The id of a process that is gone may have been given to another one since.
  const now = stat?.[START_TIME] ?? null;
  return started === '-' || now === null || now === started;
}

/** When a process started, in the kernel's ticks; null where there is no /proc. */
function startTime(pid: number): string | null {
  return statOf(pid)?.[START_TIME] ?? null;
}

const STATE = 0;
const START_TIME = 19;

/** The fields of /proc/…/stat behind the name, in which there may be blanks. */
function statOf(pid: number): readonly string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
