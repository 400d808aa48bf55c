import type { BreakerSettings } from './error-breaker.js';

/** A connector's `errors.*` settings, with Kafka Connect's meaning. Times in milliseconds. */
export interface Tolerance {
  /** `errors.tolerance`: what becomes of a record that cannot be handled. */
  readonly tolerance: 'none' | 'all';
  /** `errors.retry.timeout`: see there. 0: not at all; -1: for ever; null: not given. */
  readonly retryTimeoutMs: number | null;
  /** `errors.retry.delay.max.ms` */
  readonly retryDelayMaxMs: number;
  /** `errors.log.enable` */
  readonly logErrors: boolean;
  /** `errors.log.include.messages` */
  readonly logMessages: boolean;
  /** `errors.breaker.*` */
  readonly breaker: BreakerSettings;
}

const FIRST_RETRY_MS = 300;

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
