/** Plain file descriptors with promises: cheaper per call than FileHandle, and nothing is closed behind our back. */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError, ConnectError, RetriableError } from '../../sdk/index.js';

/** Bytes read: fewer than asked only at the end of the file. */
export function readAt(
  fd: number,
  buffer: Buffer,
  at: number,
  length: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, buffer, at, length, position, (error, bytes) => {
      if (error === null) resolve(bytes);
      else reject(error);
    });
  });
}

/** Never blocks on a pipe that took the file's place. */
export function openForReading(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK, (error, fd) => {
      if (error === null) resolve(fd);
      else reject(error);
    });
  });
}

export function closeQuietly(fd: number): void {
  fs.close(fd, () => {
    // Opened for reading: a failed close loses nothing.
  });
}

export function fstat(fd: number): Promise<fs.Stats> {
  return new Promise((resolve, reject) => {
    fs.fstat(fd, (error, stats) => {
      if (error === null) resolve(stats);
      else reject(error);
    });
  });
}

/** null when nothing is there. Follows symbolic links; a dangling one is nothing. */
export async function statOrNull(path: string): Promise<fs.Stats | null> {
  try {
    return await fs.promises.stat(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/**
 * Makes a folder and those above it. Node's own way to do so never returns where a folder is and none can be made in it,
 * as in /proc, and keeps a thread of the pool.
 */
export async function makeFolders(folder: string): Promise<void> {
  if (await isMade(folder)) return;
  const above = dirname(folder);
  await makeFolders(above);
  if (await isMade(folder)) return;
  // Deleted in this moment, perhaps: then this fails so.
  if ((await statOrNull(above)) === null) return fs.promises.mkdir(folder);
  throw new ConfigError(`no folder can be made in ${above}`, { code: 'FILE_BAD_PATH', field: 'file' });
}

/** False: there is nothing to make it in. */
async function isMade(folder: string): Promise<boolean> {
  try {
    await fs.promises.mkdir(folder);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return false;
    const there = await statOrNull(folder);
    // Where nothing may be made, that may be said first of a folder that is there.
    if (there?.isDirectory() === true) return true;
    if (errno === 'EEXIST' && there === null)
      throw new ConfigError(`${folder} is a link that leads nowhere`, {
        code: 'FILE_BAD_PATH',
        field: 'file',
      });
    throw error;
  }
}

export function errnoOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** This process, or the system, has too many files open: says nothing about the file. */
export function isOutOfFiles(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'EMFILE' || errno === 'ENFILE';
}

/** What a failed call on an input file means: the system may recover, so it is tried again. */
export function inputError(error: unknown, path: string): Error {
  if (error instanceof ConnectError) return error;
  const errno = errnoOf(error);
  if (errno === null) return error instanceof Error ? error : new Error(String(error));
  const options = { code: 'FILE_NOT_READABLE', cause: error };
  if (errno === 'EACCES' || errno === 'EPERM') {
    const user = process.getuid === undefined ? '' : ` of user ${process.getuid()}`;
    return new RetriableError(
      `no permission to read ${path} (${errno}): give this process${user} the right to read it, and to enter its folders`,
      options,
    );
  }
  if (isOutOfFiles(error)) {
    return new RetriableError(
      `too many open files to open ${path} (${errno}): raise the limit (ulimit -n) or follow fewer files`,
      options,
    );
  }
  return new RetriableError(`cannot read ${path} (${errno})`, options);
}
