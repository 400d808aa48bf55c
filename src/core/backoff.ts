export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
  /** 0 to 1: the part of each wait that is random. */
  readonly jitter: number;
}

/**
 * How long to wait before an attempt, in milliseconds: doubles from `minMs` (attempt 1) up to `maxMs`, less a random
 * part, so that many that failed together do not come back together. `random` is in [0, 1).
 */
export function nextDelayMs(backoff: Backoff, attempt: number, random: number): number {
  const whole = Math.min(backoff.maxMs, backoff.minMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 52));
  return Math.round(whole * (1 - backoff.jitter * random));
}
