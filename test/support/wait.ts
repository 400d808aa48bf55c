import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `condition` answers something other than null, undefined or false; fails with `what` at the deadline. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 20_000,
): Promise<Exclude<T, null | undefined | false>> {
  const deadline = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    // The last look begins after the deadline: a process that was held up has not looked before.
    const late = performance.now() > deadline;
    try {
      const value = await condition();
      if (value !== null && value !== undefined && value !== false) {
        return value as Exclude<T, null | undefined | false>;
      }
      last = value;
    } catch (error) {
      last = error;
    }
    if (late) {
      throw new Error(`waited ${deadlineMs} ms in vain until ${what}; last seen: ${describe(last)}`);
    }
    await sleep(20);
  }
}

/**
 * Lets time pass until a fault comes, or while it lasts. Faults come at moments of their own, whatever is going on: no
 * outcome is waited for here, and none may be expected after it.
 */
export function letPass(ms: number): Promise<void> {
  return sleep(ms);
}

function describe(value: unknown): string {
  return value instanceof Error ? (value.stack ?? value.message) : JSON.stringify(value);
}
