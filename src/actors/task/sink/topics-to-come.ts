/** Sinks of `topics.regex`: topics that begin to match while the task runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueRef } from '../../../sdk/plugin.js';
import type { StartedTask, TaskParts } from '../parts.js';
import { queueKey } from './sink-queue.js';

export interface TopicsToComeOptions {
  /** The queues that this task has to read, as the log has them now. */
  readonly look: () => Promise<readonly QueueRef[]>;
  readonly intervalMs: number;
  readonly start: (parts: TaskParts, assignment: readonly QueueRef[]) => Promise<StartedTask>;
}

/**
 * Runs the sink, and where it has a new queue to read flushes, commits and stops it in order and starts it with that
 * one, too. A queue that is gone is not looked for: reading it fails, and says why.
 */
export async function withTopicsToCome(
  parts: TaskParts,
  { look, intervalMs, start }: TopicsToComeOptions,
): Promise<StartedTask> {
  const { signal, log } = parts.context;

  const begin = async (): Promise<{ readonly over: AbortController; readonly started: StartedTask }> => {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const assignment = await look();
    if (assignment.length === 0) log.info({}, 'there is no queue to read for this task yet');
    const started = await start({ ...parts, context: { ...parts.context, signal: either } }, assignment);
    void watch(assignment, over, either);
    return { over, started };
  };

  const watch = async (
    assignment: readonly QueueRef[],
    over: AbortController,
    either: AbortSignal,
  ): Promise<void> => {
    const known = new Set(assignment.map(queueKey));
    while (await passed(intervalMs, either)) {
      const found = await look().catch((error: unknown) => {
        log.debug({ cause: String(error) }, 'the topics could not be looked at');
        return [];
      });
      const news = found.filter((queue) => !known.has(queueKey(queue)));
      if (news.length === 0) continue;
      log.info({ topics: [...new Set(news.map(({ topic }) => topic))] }, 'starts again to read new topics');
      over.abort();
    }
  };

  let round = await begin();
  const untilStopped = async (): Promise<void> => {
    for (;;) {
      await round.started.done.finally(() => {
        round.over.abort();
      });
      if (signal.aborted) return;
      round = await begin();
    }
  };
  return { done: untilStopped() };
}

/** Whether the time passed, and not the signal ended it. */
async function passed(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal, ref: false }).catch(() => false);
}
