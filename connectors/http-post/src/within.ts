/**
 * Gives `work` a signal that ends with the other, or after so long. `AbortSignal.any` would do, but on Node 20 each of its
 * calls leaves something in a signal that lives on.
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const stop = (): void => end.abort(signal.reason);
  const timer = setTimeout(() => end.abort(new Error(`no answer within ${ms} ms`)), ms);
  signal.addEventListener('abort', stop);
  try {
    signal.throwIfAborted();
    return await work(end.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
