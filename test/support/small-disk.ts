import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Why a test that needs a small disk may be skipped. */
export const NO_SMALL_DISK = 'needs the right to mount a tmpfs (root)';

/** The folder of a disk of its own, until the end of the test; null where this machine does not let us have one. */
export function mountSmallDisk(t: TestContext, megabytes: number): string | null {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    rmSync(dir, { recursive: true });
    return null;
  }
  t.after(() => {
    execFileSync('umount', ['-l', dir]);
    rmSync(dir, { recursive: true });
  });
  return dir;
}

export function enlargeDisk(dir: string, megabytes: number): void {
  execFileSync('mount', ['-o', `remount,size=${megabytes}m`, dir]);
}

export function freeOnDisk(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize;
}

/** Lengthens the file until nothing more fits on its disk. */
export function fillDisk(path: string): void {
  for (const piece of [Buffer.alloc(1 << 20, 1), Buffer.alloc(4096, 1)]) {
    try {
      for (;;) appendFileSync(path, piece);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    }
  }
}
