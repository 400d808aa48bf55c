/** Base of the errors a plugin throws on purpose. `code` is stable and shown to the user. */
export class ConnectError extends Error {
  override readonly name: string = 'ConnectError';
  readonly code: string;
  constructor(message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? 'CONNECTOR_ERROR';
  }
}

/** The same call may succeed later: the runtime backs off and calls again with the same records. */
export class RetriableError extends ConnectError {
  override readonly name = 'RetriableError';
  /** Wait this long before the next try, in milliseconds; null leaves it to the runtime's backoff. */
  readonly retryAfterMs: number | null;
  constructor(message: string, options: { code?: string; cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { code: options.code ?? 'RETRIABLE', cause: options.cause });
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/**
 * The error as one that is worth another try, or null. Also one of a plugin that carries its own copy of this module,
 * which `instanceof` would not know: it goes by the name.
 */
export function asRetriable(error: unknown): RetriableError | null {
  if (error instanceof RetriableError) return error;
  if (!(error instanceof Error) || error.name !== 'RetriableError') return null;
  const retryAfterMs: unknown = Reflect.get(error, 'retryAfterMs');
  return new RetriableError(error.message, {
    cause: error,
    ...(typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? { retryAfterMs } : {}),
  });
}

/** One record cannot be converted, transformed or written, whatever is tried. Subject to `errors.tolerance`. */
export class DataError extends ConnectError {
  override readonly name = 'DataError';
  constructor(message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, { code: options.code ?? 'BAD_RECORD', cause: options.cause });
  }
}

/** The configuration cannot work. Names the field where there is one. */
export class ConfigError extends ConnectError {
  override readonly name = 'ConfigError';
  readonly field: string | null;
  constructor(message: string, options: { code?: string; cause?: unknown; field?: string } = {}) {
    super(message, { code: options.code ?? 'BAD_CONFIG', cause: options.cause });
    this.field = options.field ?? null;
  }
}
