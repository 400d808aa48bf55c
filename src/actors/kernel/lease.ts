/**
 * "Until when may this node's tasks move records", in memory that all threads share: discovery writes it, tasks read
 * it at every turn, so a node that lost the log is fenced with no message and no scheduling in between.
 */

/** Milliseconds of the one monotonic clock of all threads (`performance.now()` has another origin in each). */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

const UNTIL = 0;
/** Not 0 once the whole node is being stopped, and not only an actor of it. */
const STOPPING = 1;

/** A lease that nobody holds yet. */
export function createLease(): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT);
}

/** `untilMs` is on the clock of `monotonicMs`; an earlier time than the present one takes the lease back. */
export function renewLease(lease: SharedArrayBuffer, untilMs: number): void {
  Atomics.store(new BigInt64Array(lease), UNTIL, BigInt(Math.floor(untilMs)));
}

/** How long the lease is still valid; zero or less: it is not. */
export function leaseLeftMs(lease: SharedArrayBuffer): number {
  return Number(Atomics.load(new BigInt64Array(lease), UNTIL)) - monotonicMs();
}

export function announceStop(lease: SharedArrayBuffer): void {
  Atomics.store(new BigInt64Array(lease), STOPPING, 1n);
}

export function isNodeStopping(lease: SharedArrayBuffer): boolean {
  return Atomics.load(new BigInt64Array(lease), STOPPING) !== 0n;
}
