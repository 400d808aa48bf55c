import { RetriableError } from '../sdk/errors.js';

/** A connector's `errors.*` settings, with Kafka Connect's meaning. Times in milliseconds. */
export interface Tolerance {
  /** `errors.tolerance`: what becomes of a record that cannot be handled. */
  readonly tolerance: 'none' | 'all';
  /** `errors.retry.timeout`: how long a failing operation is tried again; 0: not at all; -1: for ever. */
  readonly retryTimeoutMs: number;
  /** `errors.retry.delay.max.ms` */
  readonly retryDelayMaxMs: number;
  /** `errors.log.enable` */
  readonly logErrors: boolean;
  /** `errors.log.include.messages` */
  readonly logMessages: boolean;
}

export const DEFAULT_TOLERANCE: Tolerance = {
  tolerance: 'none',
  retryTimeoutMs: 0,
  retryDelayMaxMs: 60_000,
  logErrors: false,
  logMessages: false,
};

export type ErrorDecision =
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'skip' }
  | { readonly action: 'fail' };

export interface FailedAttempt {
  readonly error: unknown;
  /** Tries so far, from 1. */
  readonly attempt: number;
  /** Since the first try. */
  readonly elapsedMs: number;
  /** In [0, 1). */
  readonly random: number;
}

const FIRST_RETRY_MS = 300;

/** By name too: a plugin may carry its own copy of the SDK. */
export function isRetriable(error: unknown): boolean {
  return error instanceof RetriableError || (error instanceof Error && error.name === 'RetriableError');
}

/**
 * The wait before the next try: 300 ms, doubled with every try. Above the maximum a random part of the maximum, so
 * that many tasks do not come back together. `random` is in [0, 1).
 */
export function retryDelayMs(
  tolerance: Pick<Tolerance, 'retryDelayMaxMs'>,
  attempt: number,
  random: number,
): number {
  const delay = FIRST_RETRY_MS * 2 ** Math.min(Math.max(attempt, 1) - 1, 40);
  return delay > tolerance.retryDelayMaxMs ? Math.floor(random * tolerance.retryDelayMaxMs) : delay;
}

/** What to do after an operation on one record failed: only a retriable error is worth another try. */
export function decideError(
  tolerance: Tolerance,
  { error, attempt, elapsedMs, random }: FailedAttempt,
): ErrorDecision {
  const { retryTimeoutMs } = tolerance;
  if (isRetriable(error) && (retryTimeoutMs < 0 || elapsedMs < retryTimeoutMs)) {
    const asked = error instanceof RetriableError ? error.retryAfterMs : null;
    const delay = asked ?? retryDelayMs(tolerance, attempt, random);
    // The last try is made at the deadline, not after it.
    return {
      action: 'retry',
      delayMs: retryTimeoutMs < 0 ? delay : Math.min(delay, retryTimeoutMs - elapsedMs),
    };
  }
  return { action: decideBadRecord(tolerance, error) };
}

/** What becomes of a record that will not be tried again. Any error of its conversion or transformation counts. */
export function decideBadRecord(tolerance: Pick<Tolerance, 'tolerance'>, _error: unknown): 'skip' | 'fail' {
  return tolerance.tolerance === 'all' ? 'skip' : 'fail';
}
