import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own, gone when `body` has ended. */
export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const { folder, remove } = await temporaryFolder();
  try {
    return await body(folder);
  } finally {
    await remove();
  }
}

export async function temporaryFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-file-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
