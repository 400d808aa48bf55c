/** What the acceptance suites of sources and sinks have in common. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetriableError } from '../errors.js';
import type { RawConfig } from '../plugin.js';
import { DeadlineError } from './deadline.js';
import type { RecordedMetrics } from './recorded-metrics.js';
import type { RecordingLogger } from './recording-logger.js';
import type { SecretWatch } from './secret-watch.js';

/** No plugin has it. */
export const UNKNOWN_SIGNAL = 'acceptance-of-an-unknown-type';

interface Fixture {
  readonly config: RawConfig;
  cleanup?(): Promise<void>;
}

interface Harness {
  readonly log: RecordingLogger;
  readonly secrets: SecretWatch;
  readonly counted: readonly RecordedMetrics[];
  start(): Promise<void>;
  dispose(): Promise<void>;
}

export async function withFixture<F extends Fixture>(
  setup: () => Promise<F>,
  body: (fixture: F) => Promise<void>,
): Promise<void> {
  const fixture = await setup();
  try {
    await body(fixture);
  } finally {
    await fixture.cleanup?.();
  }
}

/**
 * Calls `body` with a harness that was started. Whatever happens in it, no password may be told, and what the plugin gives its
 * metrics is to be counted.
 */
export async function withHarness<H extends Harness>(
  harness: H,
  body: (harness: H) => Promise<void>,
): Promise<void> {
  try {
    await harness.start();
    await body(harness);
    for (const metrics of harness.counted) checkCounted(metrics);
  } finally {
    await harness.dispose();
    for (const { all } of harness.counted) harness.secrets.see('its metrics', all);
    harness.secrets.see('the log', harness.log.lines);
    harness.secrets.check();
  }
}

function checkCounted({ ignored, full }: RecordedMetrics): void {
  assert.equal(full, null, full ?? '');
  const why = 'no numbers, less than 0 for a counter, or other labels than the metric has';
  assert.equal(ignored, 0, `it gave its metrics ${ignored} values that cannot be counted: ${why}`);
}

/** What fails because of an interruption must say that it may be tried again. */
export async function interrupted(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof RetriableError, `it threw ${String(error)} instead of a RetriableError`);
  }
}

/** What it knows nothing of it says so, by an error or an answer in JSON; whatever it says, it goes on. */
export async function unknownSignal(ask: () => Promise<unknown>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (error instanceof DeadlineError || error instanceof assert.AssertionError) throw error;
  }
}

/** Lets a call come to where it waits, if it does; whether it has must not matter to the test. */
export async function aMoment(underWay: Promise<unknown>): Promise<void> {
  await Promise.race([underWay.catch(() => undefined), sleep(50)]);
}

/** The same, once the call has begun, or has ended. */
export async function inside(underWay: Promise<unknown>, begun: () => boolean): Promise<void> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  underWay.then(end, end);
  do await aMoment(underWay);
  while (!begun() && !ended);
}

/** How a call ends that was asked to stop is its own business, if it does. */
export async function endsInTime(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof DeadlineError) throw error;
  }
}
