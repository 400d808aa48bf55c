/** Sooner than this after a whole second it is still that one: timers are not exact. */
const SLACK_MS = 20;

/**
 * How long until the next whole second of the thread's clock: what a quiet thread does each second it does in one go, as
 * waking up costs it more than what it does then. Each thread's clock begins with it, so they do not wake together.
 */
export function untilWholeSecondMs(now: number = performance.now()): number {
  const left = 1000 - (now % 1000);
  return left < SLACK_MS ? left + 1000 : left;
}
