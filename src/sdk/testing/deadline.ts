import { setTimeout as sleep } from 'node:timers/promises';

/** A call did not end in time. It goes on. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** The result of `work`, or an error that says what did not happen in time. `work` itself goes on. */
export async function within<T>(what: string, deadlineMs: number, work: Promise<T> | T): Promise<T> {
  const stop = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: stop.signal }).then(
    () => {
      throw new DeadlineError(`${what} did not end within ${deadlineMs} ms`);
    },
    // Cancelled below: the work was in time.
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}
