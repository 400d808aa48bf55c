/** Where the loop of a source waits between records: a pause, its throttle; and what becomes durable before it does. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceLoopParts } from './source-parts.js';

/** A source may begin thousands of partitions at once; so many go into one append. */
const BEGUN_AT_ONCE = 1000;

/** So often a source that waits for its throttle is told what has become durable. */
const THROTTLED_TURN_MS = 500;

/** The task is told to stop while a record waits for its transforms: nothing after it may be taken. */
export const STOPPED = Symbol('stopped');

/** Before the records that were polled with them: of a partition, the last position counts. */
export async function begin({ begun, writer, transactions }: SourceLoopParts): Promise<void> {
  for (const [at, { partition, position }] of begun.splice(0).entries()) {
    if (at > 0 && at % BEGUN_AT_ONCE === 0) await writer.drain();
    transactions.said(partition, position);
  }
}

/** A pause, a lease that is lost, or a config that has changed: what was polled becomes durable first. */
export async function untilOpen(parts: SourceLoopParts): Promise<void> {
  const { gate, signal, changes, onPaused } = parts;
  await settle(parts);
  let isPaused = false;
  for (;;) {
    if (changes.isDue) changes.take();
    if (gate.open || signal.aborted) break;
    if (!isPaused && !gate.held) onPaused((isPaused = true));
    await gate.changed();
    if (parts.signals.waiting) await parts.signals.serve(parts.task);
  }
  if (isPaused) onPaused(false);
}

/**
 * Until the next record may go on. What came before it becomes durable meanwhile, and the source is told so; what was polled with it
 * waits here, and is as much as one poll returns. STOPPED: it is not taken, and comes again.
 */
export async function throttled(parts: SourceLoopParts): Promise<typeof STOPPED | undefined> {
  const { gate, signal, signals, throttle, writer } = parts;
  parts.counters.publish();
  for (;;) {
    if (signal.aborted) return STOPPED;
    if (!gate.open) await untilOpen(parts);
    const { waitMs } = throttle;
    if (waitMs === 0) return undefined;
    const since = performance.now();
    writer.pump();
    await gate.changedWithin(Math.min(waitMs, THROTTLED_TURN_MS));
    throttle.waited(performance.now() - since);
    await commit(parts);
    if (signals.waiting) await signals.serve(parts.task);
  }
}

/** Also what a poll has said before it ended by an error, as that of a wait that the stop has ended. */
export async function settle(parts: SourceLoopParts): Promise<void> {
  parts.counters.publish();
  await begin(parts);
  await parts.writer.drain();
  await commit(parts);
}

/** What ended the loop stays the cause, whatever comes of this. */
export async function settleInTime(parts: SourceLoopParts, failure: unknown): Promise<void> {
  const done = new AbortController();
  const late = async (): Promise<void> => {
    await sleep(parts.settleTimeoutMs, undefined, { signal: done.signal });
    throw new Error(`it took more than ${parts.settleTimeoutMs} ms`);
  };
  try {
    await Promise.race([settle(parts), late()]);
  } catch (error) {
    // An append failed, and nothing else.
    if (error === failure) return;
    const cause = error instanceof Error ? error.message : String(error);
    parts.log.warn({ cause }, 'what was polled before the failure is not durable: it will be polled again');
  } finally {
    done.abort();
  }
}

export async function commit({ task, calls, writer }: SourceLoopParts): Promise<void> {
  const positions = writer.takeDurable();
  const records = writer.takeCommitted();
  if (records.length > 0) await calls.run('commitRecords', () => task.commitRecords?.(records));
  if (positions.length === 0 || task.commit === undefined) return;
  await calls.run('commit', () => task.commit?.(positions));
}
