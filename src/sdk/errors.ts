import type { JsonObject, RecordTransaction } from './record.js';
import { sharedBetweenCopies } from './shared-class.js';

/** Base of the errors a plugin throws on purpose. `code` is stable and shown to the user. */
export class ConnectError extends Error {
  static {
    sharedBetweenCopies(this, 'ConnectError');
  }
  override readonly name: string = 'ConnectError';
  readonly code: string;
  constructor(message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? 'CONNECTOR_ERROR';
  }
}

/** The same call may succeed later: the runtime backs off and calls again with the same records. */
export class RetriableError extends ConnectError {
  static {
    sharedBetweenCopies(this, 'RetriableError');
  }
  override readonly name = 'RetriableError';
  /** Wait this long before the next try, in milliseconds; null leaves it to the runtime's backoff. */
  readonly retryAfterMs: number | null;
  /**
   * Of a converter or transform, which may not wait itself: the call is made again as soon as this has settled, however it has,
   * and nobody is told. It is to settle within seconds.
   * @experimental
   */
  readonly ready: Promise<unknown> | null;
  constructor(
    message: string,
    options: { code?: string; cause?: unknown; retryAfterMs?: number; ready?: Promise<unknown> } = {},
  ) {
    super(message, { code: options.code ?? 'RETRIABLE', cause: options.cause });
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.ready = options.ready ?? null;
  }
}

/**
 * Somebody has to do something first, for example about a table that is not there or a file that another has changed:
 * the task is FAILED at once, and starts again when it is told to. Any other error may pass, so the task starts again by
 * itself, as often as `task.restart.max` allows.
 */
export class FatalError extends ConnectError {
  static {
    sharedBetweenCopies(this, 'FatalError');
  }
  override readonly name = 'FatalError';
  constructor(message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, { code: options.code ?? 'FATAL', cause: options.cause });
  }
}

/** Whether another start of the task would only come to the same error. */
export function isFinal(error: unknown): boolean {
  return error instanceof FatalError || error instanceof DataError || error instanceof ConfigError;
}

/** The error as one that is worth another try, or null. One that has only the name is taken, too. */
export function asRetriable(error: unknown): RetriableError | null {
  if (error instanceof RetriableError) return error;
  if (!(error instanceof Error) || error.name !== 'RetriableError') return null;
  const retryAfterMs: unknown = Reflect.get(error, 'retryAfterMs');
  const ready: unknown = Reflect.get(error, 'ready');
  return new RetriableError(error.message, {
    cause: error,
    ...(ready instanceof Promise ? { ready } : {}),
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? { retryAfterMs } : {}),
  });
}

/** Where a source goes on after a record that it cannot read, and which transaction this was part of. */
export interface SkipTo {
  readonly partition: JsonObject;
  readonly position: JsonObject;
  /** As of the record. Default: the one that is open in the partition, if there is one, and not its last record. */
  readonly transaction?: RecordTransaction | null;
}

/**
 * One record cannot be read, converted, transformed or written, whatever is tried. With `errors.tolerance=all` it is
 * skipped. Thrown by `put`, the same records come again one by one, so that only the bad one is skipped: a sink that
 * would write the others twice reports that one instead (`report`). Thrown by `poll`, after the records before it were
 * returned, it needs `skipTo`, the position after the bad record; the next poll goes on there.
 */
export class DataError extends ConnectError {
  static {
    sharedBetweenCopies(this, 'DataError');
  }
  override readonly name = 'DataError';
  readonly skipTo: SkipTo | null;
  constructor(
    message: string,
    options: {
      code?: string;
      cause?: unknown;
      skipTo?: SkipTo;
    } = {},
  ) {
    super(message, { code: options.code ?? 'BAD_RECORD', cause: options.cause });
    this.skipTo = options.skipTo ?? null;
  }
}

/** The configuration cannot work, nor will it at another start: the task is FAILED at once. Names the field where there is one. */
export class ConfigError extends ConnectError {
  static {
    sharedBetweenCopies(this, 'ConfigError');
  }
  override readonly name = 'ConfigError';
  readonly field: string | null;
  constructor(message: string, options: { code?: string; cause?: unknown; field?: string } = {}) {
    super(message, { code: options.code ?? 'BAD_CONFIG', cause: options.cause });
    this.field = options.field ?? null;
  }
}
