import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** Where a path leads, symbolic links followed as far as it exists: what a file would be called that is created there. */
export async function realPath(path: string, links = 0): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch (error) {
    if (!isMissing(error) || links >= MAX_LINKS) throw error;
  }
  const parent = dirname(absolute);
  if (parent === absolute) return absolute;
  const folder = await realPath(parent, links);
  const target = await linkTarget(absolute);
  if (target !== null) return realPath(resolve(folder, target), links + 1);
  return join(folder, basename(absolute));
}

/** null: it is no link. */
async function linkTarget(path: string): Promise<string | null> {
  try {
    return await readlink(path);
  } catch {
    return null;
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
