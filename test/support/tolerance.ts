import type { Tolerance } from '#troupe/core/tolerance.js';

/** What a connector has that says nothing of errors. */
export const DEFAULT_TOLERANCE: Tolerance = {
  tolerance: 'none',
  retryTimeoutMs: null,
  retryDelayMaxMs: 60_000,
  logErrors: false,
  logMessages: false,
  breaker: { failures: 0, window: 100 },
};
