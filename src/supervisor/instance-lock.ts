import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another process runs as this worker in this folder. */
export class InstanceLockError extends Error {
  override readonly name = 'InstanceLockError';
  readonly code = 'NODE_ALREADY_RUNNING';
}

/**
 * One process at a time as `workerId` in `dir`: two would evict each other for ever. Several nodes may share the
 * folder under different ids. Returns the release; a lock whose process is gone is taken over.
 */
export function lockInstance(dir: string, workerId: string): () => void {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${encodeURIComponent(workerId)}.lock`);
  const own = `${process.pid} ${startTime(process.pid) ?? ''}`.trim();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      return () => {
        if (readLock(path) === own) rmSync(path, { force: true });
      };
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
    }
    const holder = readLock(path);
    if (holder !== null && alive(holder)) {
      throw new InstanceLockError(
        `a node with workerId ${workerId} already runs on ${dir} (process ${holder.split(' ')[0] ?? '?'}): ` +
          'stop it, or set another workerId or storePathRootDir',
      );
    }
    rmSync(path, { force: true });
  }
  throw new InstanceLockError(`${path} cannot be taken: another node with this workerId is starting`);
}

function readLock(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function alive(holder: string): boolean {
  const [pidText, started] = holder.split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  // The id of a process that is gone may have been given to another one since.
  const now = startTime(pid);
  return started === undefined || now === null || now === started;
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
