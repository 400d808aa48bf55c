/** What the acceptance suites of sources and sinks have in common. */
import assert from 'node:assert/strict';
import { RetriableError } from '../errors.js';
import type { RawConfig, SinkConnector, SourceConnector } from '../plugin.js';
import { checkNoSecrets } from './accept-config.js';
import type { RecordingLogger } from './recording-logger.js';

interface Fixture {
  readonly config: RawConfig;
  cleanup?(): Promise<void>;
}

interface Harness {
  readonly log: RecordingLogger;
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

/** Calls `body` with a harness that was started. Whatever happens in it, no password may be told. */
export async function withHarness<H extends Harness>(
  harness: H,
  { config: definition }: SourceConnector | SinkConnector,
  config: RawConfig,
  body: (harness: H) => Promise<void>,
): Promise<void> {
  try {
    await harness.start();
    await body(harness);
    checkNoSecrets(definition, config, 'the log', harness.log.lines);
  } catch (error) {
    checkNoSecrets(definition, config, 'an error', error);
    throw error;
  } finally {
    await harness.dispose();
  }
}

/** What fails because of an interruption must say that it may be tried again. */
export async function interrupted(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof RetriableError, `it threw ${String(error)} instead of a RetriableError`);
  }
}
