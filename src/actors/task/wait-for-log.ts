/** A full disk, or a log that is away, is no fault of the task that starts: it waits, and is not counted as failed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { nextDelayMs, type Backoff } from '../../core/backoff.js';
import { isNotNow, isNotNowCode } from '../../log/log.js';
import { ActorError } from '../kernel/errors.js';
import type { ActorLogger } from '../kernel/protocol.js';
import type { StartedTask, TaskParts } from './parts.js';

const PAUSES: Backoff = { minMs: 500, maxMs: 2000, jitter: 0.2 };
const CALL = 'open';

export interface WaitingTask {
  readonly context: { readonly signal: AbortSignal; readonly log: Pick<ActorLogger, 'warn'> };
  readonly report: Pick<TaskParts['report'], 'stalled'>;
}

/** A start that has to wait has no deadline: the task runs, and its status says what it waits for. */
export async function startOrWait(
  task: WaitingTask,
  start: () => Promise<StartedTask>,
): Promise<StartedTask> {
  try {
    return await start();
  } catch (error) {
    if (!isLogNotNow(error)) throw error;
    return { done: whenLogTakes(task, start, error).then((started) => started?.done) };
  }
}

/** What `work` makes, done from its beginning each time; null: told to stop first. `failed`: how it has just ended. */
export async function whenLogTakes<T>(
  { context, report }: WaitingTask,
  work: () => Promise<T>,
  failed: Error | null = null,
): Promise<T | null> {
  const { signal, log } = context;
  const since = Date.now();
  for (let attempt = 1; ; attempt += 1) {
    if (failed !== null) {
      const cause = failed.message;
      const retryInMs = nextDelayMs(PAUSES, attempt, Math.random());
      log.warn({ call: CALL, attempt, retryInMs, cause }, 'will try again');
      report.stalled(CALL, { call: CALL, since, cause });
      await sleep(retryInMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return null;
    }
    try {
      const made = await work();
      if (failed !== null) report.stalled(CALL, null);
      return made;
    } catch (error) {
      if (signal.aborted) return null;
      if (!isLogNotNow(error)) throw error;
      failed = error;
    }
  }
}

/** Also where another actor has met the log for the task. */
export function isLogNotNow(error: unknown): error is Error {
  return isNotNow(error) || (error instanceof ActorError && isNotNowCode(error.remoteCode));
}
