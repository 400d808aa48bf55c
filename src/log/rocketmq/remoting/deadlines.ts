/** Waiting with an end to it, and trying again. */
import { nextDelayMs, type Backoff } from '../../../core/backoff.js';
import { RemotingError } from './errors.js';

const PAUSES: Backoff = { minMs: 20, maxMs: 1000, jitter: 0.5 };

/** Of the time for all attempts. One that began later would turn a clear refusal into an unknown outcome. */
const LEAST_SHARE = 0.1;

/** What is left of `timeoutMs`. Too little to send anything still is a refusal. */
export function timeLeft(timeoutMs: number, startedAt: number): number {
  const left = timeoutMs - (performance.now() - startedAt);
  if (left >= timeoutMs * LEAST_SHARE) return left;
  throw new RemotingError(
    'LOG_UNAVAILABLE',
    `nothing was sent: getting ready took all but ${Math.max(0, Math.round(left))} of ${Math.round(timeoutMs)} ms. Check that name servers and brokers answer, and try again`,
    { refused: true },
  );
}

/**
 * What `promise` brings, or null when that takes longer than `ms`. An aborted signal rejects with its reason. The
 * promise itself goes on.
 */
export async function waitFor<T>(
  promise: Promise<T>,
  ms: number,
  signals: readonly AbortSignal[],
): Promise<{ readonly value: T } | null> {
  for (const signal of signals) signal.throwIfAborted();
  let giveUp = (): void => undefined;
  const end = new Promise<null>((resolve, reject) => {
    const timer = setTimeout(resolve, ms, null);
    const abort = (event: Event): void => {
      reject(event.target instanceof AbortSignal ? (event.target.reason as Error) : new Error('aborted'));
    };
    for (const signal of signals) signal.addEventListener('abort', abort);
    giveUp = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([promise.then((value) => ({ value })), end]);
  } finally {
    giveUp();
  }
}

/** What `promise` brings, unless the signal is aborted before. The promise itself goes on. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let giveUp = (): void => undefined;
  const end = new Promise<never>((_resolve, reject) => {
    // Its reason may be anything, and is the caller's own.
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
    giveUp = () => signal.removeEventListener('abort', abort);
  });
  try {
    return await Promise.race([promise, end]);
  } finally {
    giveUp();
  }
}

export interface RetryOptions {
  /** Of all attempts together. */
  readonly deadlineMs: number;
  readonly mayRetry: (error: RemotingError) => boolean;
  readonly random: () => number;
  readonly signals: readonly AbortSignal[];
}

/** For what may be done twice. */
export function whileUnavailable(error: RemotingError): boolean {
  return error.code === 'LOG_UNAVAILABLE';
}

/** For what must not be done twice. */
export function whileRefused(error: RemotingError): boolean {
  return error.code === 'LOG_UNAVAILABLE' && error.refused;
}

export async function retrying<T>(
  attempt: (remainingMs: number) => Promise<T>,
  { deadlineMs, mayRetry, random, signals }: RetryOptions,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt(Math.max(1, deadline - performance.now()));
    } catch (error) {
      const pauseMs = nextDelayMs(PAUSES, failures, random());
      const again = error instanceof RemotingError && mayRetry(error);
      if (!again || performance.now() + pauseMs > deadline - deadlineMs * LEAST_SHARE) throw error;
      await pause(pauseMs, signals);
    }
  }
}

export async function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  await waitFor(new Promise<never>(() => undefined), ms, signals);
}
