/** What the harnesses of sources and sinks have in common. */
import assert from 'node:assert/strict';
import { parseConfigOrThrow } from '../config-parse.js';
import type {
  ConnectorContext,
  RawConfig,
  Signal,
  SinkConnector,
  SourceConnector,
  SourceTask,
} from '../plugin.js';
import type { JsonValue } from '../record.js';
import { ANY_FILE } from './any-file.js';
import type { PluginCalls } from './plugin-calls.js';

/** How long a task may take to end once its signal says so. */
export const STOP_DEADLINE_MS = 3000;

export interface RunningTask<Task extends { stop(): Promise<void> | void }> {
  readonly task: Task;
  readonly stop: AbortController;
}

/** The configurations of the tasks, as the connector plans them. */
export async function planTasks(
  connector: SourceConnector | SinkConnector,
  raw: RawConfig,
  maxTasks: number,
  context: Pick<ConnectorContext, 'connectorName' | 'log'> & Partial<Pick<ConnectorContext, 'positions'>>,
): Promise<readonly RawConfig[]> {
  const { signal } = new AbortController();
  return connector.taskConfigs(
    { positions: async () => [], ...context, signal, files: ANY_FILE },
    parseConfigOrThrow(connector.config, raw),
    raw,
    maxTasks,
  );
}

/** What the task answers, which must be JSON; nothing where it takes no signals. */
export async function signalTask(
  calls: PluginCalls,
  task: Pick<SourceTask, 'signal'>,
  signal: Signal,
): Promise<JsonValue[]> {
  if (task.signal === undefined) return [];
  const answer = await calls.run('signal()', () => task.signal?.(signal));
  return [checkJson('the answer of signal()', answer ?? null)];
}

/** The same when it was written and read. */
export function checkJson(what: string, value: JsonValue): JsonValue {
  let read: unknown;
  try {
    read = JSON.parse(JSON.stringify(value));
  } catch (error) {
    assert.fail(`${what} is no JSON: ${String(error)}`);
  }
  assert.deepEqual(read, value, `${what} is no JSON`);
  return value;
}

/** Frees what tasks hold, those that were killed too. Their errors no longer matter. */
export async function release(
  tasks: readonly RunningTask<{ stop(): Promise<void> | void }>[],
  calls: PluginCalls,
  stopDeadlineMs: number,
): Promise<void> {
  for (const { task, stop } of tasks) {
    stop.abort();
    try {
      await calls.run('stop()', () => task.stop(), stopDeadlineMs);
    } catch {
      // A task that was killed cannot be expected to stop well.
    }
  }
}
