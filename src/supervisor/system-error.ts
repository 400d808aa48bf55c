export type SystemErrorCode =
  | 'BAD_CHILD_SPEC'
  | 'DUPLICATE_CHILD'
  | 'UNKNOWN_SUPERVISOR'
  | 'NOT_DYNAMIC'
  | 'SUPERVISOR_STOPPING'
  | 'START_ABANDONED'
  | 'LOGGER_INVALID'
  | 'LOGGERS_TOO_MANY';

/** A request that the supervisor refuses. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: SystemErrorCode;
  constructor(code: SystemErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
