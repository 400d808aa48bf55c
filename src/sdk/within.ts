import { RetriableError } from './errors.js';

/**
 * What `work` resolves with, which is given a signal that is aborted with `signal`, and with its reason, or after `ms`
 * milliseconds, by RetriableError TIMED_OUT: for calls of a system, such as `fetch`, that have an end of their own and end with the
 * task. It lasts until `work` ends, so that must heed its signal. Rejects where `signal` is aborted already.
 *
 * `AbortSignal.any` would do, but on Node 20 each of its calls leaves something in a signal that lives on, as the task's.
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const stop = (): void => {
    end.abort(signal.reason);
  };
  const timer = setTimeout(() => {
    end.abort(new RetriableError(`no answer within ${ms} ms`, { code: 'TIMED_OUT' }));
  }, ms);
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    return await work(end.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
