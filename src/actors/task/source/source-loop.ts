import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SourceRecord } from '../../../sdk/record.js';
import { NOT_NOW } from '../record-errors.js';
import { AFTER_BAD_RECORD, BadPolls } from './bad-polls.js';
import type { SourceLoopParts } from './source-parts.js';
import { begin, commit, settle, settleInTime, STOPPED, throttled, untilOpen } from './source-pauses.js';
import { add } from './source-records.js';

export type { SourceLoopParts } from './source-parts.js';

/** So long the loop may go on without a turn of the event loop: with a plugin that awaits nothing there would be none. */
const TURN_MS = 50;

/** A plugin that answers "nothing" at once would be asked again at once; this is the pause in between. */
const IDLE_PAUSE_MS = 10;

/** poll → transforms → converter → append, until the signal or an error; then everything polled is made durable. */
export async function runSource(parts: SourceLoopParts): Promise<void> {
  try {
    await pollOn(parts);
  } catch (error) {
    // Else the records before a bad one would never arrive: each new start fails at it before they are appended.
    await settleInTime(parts, error);
    parts.transactions.close();
    throw error;
  }
  await settle(parts);
  parts.transactions.close();
}

async function pollOn(parts: SourceLoopParts): Promise<void> {
  const { gate, signal, writer, errors, transactions, throttle } = parts;
  const bad = new BadPolls(errors, transactions);
  await settle(parts);
  let turned = performance.now();
  while (!signal.aborted) {
    if (performance.now() - turned >= TURN_MS) {
      await nextTurn();
      turned = performance.now();
    }
    if (parts.signals.waiting) await parts.signals.serve(parts.task);
    if (!gate.open) {
      await untilOpen(parts);
      continue;
    }
    const started = performance.now();
    const records = await errors.retrying('poll', gate, () => poll(parts, bad));
    if (records === NOT_NOW) continue;
    parts.counters.polled(records.length);
    if (records === AFTER_BAD_RECORD) errors.passed(1);
    await parts.bound.check();
    if (parts.begun.length > 0) await begin(parts);
    const now = Date.now();
    for (const record of records) {
      if (writer.full) await writer.room();
      if (throttle.limits && throttle.waitMs > 0 && (await throttled(parts)) === STOPPED) return;
      if (!transactions.enter(record)) continue;
      errors.passed(1);
      const added = add(parts, record, now);
      if (added !== undefined && (await added) === STOPPED) return;
    }
    parts.counters.publish();
    writer.pump();
    await commit(parts);
    transactions.look();
    const until = parts.rest.take();
    if (until !== undefined && records.length === 0) {
      await settle(parts);
      await parts.rest.untilCalled(until);
      continue;
    }
    if (records.length === 0 && records !== AFTER_BAD_RECORD && performance.now() - started < IDLE_PAUSE_MS) {
      await errors.pause(IDLE_PAUSE_MS);
    }
  }
}

async function poll(
  { calls, task, polled, signals, writer }: SourceLoopParts,
  bad: BadPolls,
): Promise<readonly SourceRecord[]> {
  // A poll that fails is made again and again.
  if (signals.waiting) await signals.serve(task);
  try {
    const records = polled.check(await calls.run('poll', () => task.poll()));
    if (records.length > 0) bad.passed();
    return records;
  } catch (error) {
    const skipped = await bad.skip(error);
    // Each may have left a dead letter.
    if (writer.full) await writer.room();
    return skipped;
  }
}
