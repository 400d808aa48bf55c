import { ConfigError, ConnectError, FatalError, RetriableError } from '../../../sdk/index.js';
import { errnoOf } from '../fs-calls.js';

/** What somebody can put right while the task waits. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'the disk quota is used up: make room',
  EMFILE: 'too many open files: raise the limit (ulimit -n)',
  ENFILE: 'too many open files on this machine',
  EACCES: 'no permission: give this process the right to write there',
  EPERM: 'not permitted: give this process the right to write there',
  EROFS: 'the file system is read-only',
};

/** What no waiting puts right. */
const BAD_PATH: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder: add a file name',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'it, or a name in it, is too long',
  ENOTDIR: 'a part of it that should be a folder is a file',
};

/** What a failed call on an output file means. */
export function outputError(cause: unknown, path: string): Error {
  if (cause instanceof ConnectError) return cause;
  const errno = errnoOf(cause);
  if (errno === null) return cause instanceof Error ? cause : new Error(String(cause));
  const advice = ADVICE[errno];
  if (advice !== undefined) {
    return new RetriableError(`cannot write ${path} (${errno}): ${advice}`, {
      code: 'FILE_NOT_WRITABLE',
      cause,
    });
  }
  const problem = BAD_PATH[errno];
  if (problem !== undefined) {
    return new ConfigError(`cannot write ${path} (${errno}): ${problem}`, {
      code: 'FILE_BAD_PATH',
      cause,
      field: 'file',
    });
  }
  if (errno === 'ENOENT') {
    return new ConnectError(`cannot write ${path} (${errno}): its folder was deleted in this moment`, {
      code: 'FILE_WRITE_FAILED',
      cause,
    });
  }
  return new ConnectError(`cannot write ${path} (${errno})`, { code: 'FILE_WRITE_FAILED', cause });
}

/** The output is not what the progress file says: going on could lose or repeat lines. */
export function fileChanged(path: string, what: string, progressPath: string): ConnectError {
  return new FatalError(
    `${path} ${what}. The sink cannot know which lines it still holds. Put the file back, or, to go on behind what is ` +
      `there now, delete ${progressPath}: writing then continues at the connector's committed offsets.`,
    { code: 'FILE_CHANGED' },
  );
}

/** Folders, devices, pipes. */
export function notAFile(path: string): ConfigError {
  return new ConfigError(`${path} is a folder or a device, not a regular file: choose another path`, {
    code: 'FILE_NOT_A_FILE',
    field: 'file',
  });
}
