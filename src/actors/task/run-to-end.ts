import { setTimeout as sleep } from 'node:timers/promises';
import type { ActorLogger } from '../kernel/protocol.js';
import type { StartedTask, TaskParts } from './parts.js';
import type { PluginCalls } from './plugin-calls.js';

export interface PluginRun {
  readonly start: () => Promise<void> | void;
  readonly loop: () => Promise<void>;
  readonly stop: () => Promise<void> | void;
  /** After the stop, whatever came before it. */
  readonly close: () => void;
}

/**
 * The plugin's start, and then what `runToEnd` does. One whose start fails may have opened something, and another may be
 * started in this thread: it is stopped, as in Kafka Connect.
 */
export async function startPlugin(
  { context, calls }: Pick<TaskParts, 'context' | 'calls'>,
  { start, loop, stop, close }: PluginRun,
): Promise<StartedTask> {
  const { log, signal, params } = context;
  const options = { calls, log, signal, stopTimeoutMs: params.settings.stopTimeoutMs };
  try {
    await calls.run('start', start);
  } catch (error) {
    await stopAfterFailure(options, stop);
    close();
    throw error;
  }
  return { done: runToEnd(options, loop(), stop).finally(close) };
}

export interface RunToEndOptions {
  readonly calls: PluginCalls;
  readonly log: ActorLogger;
  readonly signal: AbortSignal;
  /** For the plugin's stop after its start or the loop has failed. After a stop that was asked for the supervisor looks at the time. */
  readonly stopTimeoutMs: number;
}

/** The loop and then the plugin's stop. What ended the loop is why the task ends, whatever stop does after it. */
export async function runToEnd(
  options: RunToEndOptions,
  loop: Promise<void>,
  stop: () => Promise<void> | void,
): Promise<void> {
  try {
    await loop;
    if (!options.signal.aborted) throw new Error('the task ended though nobody asked it to stop');
  } catch (error) {
    await stopAfterFailure(options, stop);
    throw error;
  }
  await options.calls.run('stop', stop);
}

async function stopAfterFailure(
  { calls, log, stopTimeoutMs }: RunToEndOptions,
  stop: () => Promise<void> | void,
): Promise<void> {
  const stopped = new AbortController();
  const late = async (): Promise<void> => {
    await sleep(stopTimeoutMs, undefined, { signal: stopped.signal });
    throw new Error(`stop() did not return within ${stopTimeoutMs} ms`);
  };
  try {
    await Promise.race([calls.run('stop', stop), late()]);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    log.warn({ cause }, 'the plugin did not stop in order after its task had failed');
  } finally {
    stopped.abort();
  }
}
