/** Why a node cannot start, as one line for whoever starts it. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code: 'FOLDER_UNUSABLE' | 'LOG_FILE_UNUSABLE' | 'HTTP_PORT_IN_USE' | 'HTTP_ADDRESS_REFUSED';
  constructor(code: StartError['code'], message: string, cause: unknown) {
    super(message, { cause });
    this.code = code;
  }

  /** A parameter is to be changed, or what it names: starting again would not help. */
  get isUsage(): boolean {
    return this.code === 'FOLDER_UNUSABLE' || this.code === 'LOG_FILE_UNUSABLE';
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of this path is no folder',
  EEXIST: 'a file stands there',
  ENOENT: 'nothing can be made there',
  ELOOP: 'its symbolic links lead in a circle',
  EISDIR: 'a folder stands there',
  EMFILE: 'too many open files: raise ulimit -n',
  ENFILE: 'too many open files: raise ulimit -n',
};

/** Node's own text repeats its code and names a system call; this one names the parameter. */
export function pathProblem(
  code: StartError['code'],
  key: string,
  path: string,
  use: string,
  cause: unknown,
): StartError {
  const error = cause instanceof Error ? (cause as NodeJS.ErrnoException) : null;
  const reason = REASONS[error?.code ?? ''] ?? error?.message ?? String(cause);
  return new StartError(code, `${key} = ${path} ${use}: ${reason}`, cause);
}
