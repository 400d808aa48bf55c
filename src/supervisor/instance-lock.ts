import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another process runs as this worker, or in this folder. */
export class InstanceLockError extends Error {
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
    ownFolder,
    'node.lock',
    content,
    ({ pid, worker }) =>
      `the node ${worker} (process ${pid}) already runs on ${ownFolder}: stop it, or give this node a storePathRootDir ` +
      'of its own (nodes of a cluster share store.path)',
  );
  if (sharedFolder === null) return unlockFolder;
  try {
    const unlockWorker = take(
      sharedFolder,
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

function take(folder: string, name: string, content: string, held: (by: Holder) => string): () => void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(path, content, { flag: 'wx' });
      return () => {
        if (readLock(path) === content) rmSync(path, { force: true });
      };
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
    }
    const holder = parse(readLock(path));
    if (holder !== null && alive(holder)) throw new InstanceLockError(held(holder));
    rmSync(path, { force: true });
  }
  throw new InstanceLockError(`${path} cannot be taken: another node is starting there`);
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
  // The id of a process that is gone may have been given to another one since.
  const now = startTime(pid);
  return started === '-' || now === null || now === started;
}

/** When a process started, in the kernel's ticks; null where there is no /proc. */
function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
