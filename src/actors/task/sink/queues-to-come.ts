/** Topics get more queues, patterns more topics, and topics are made anew, while a sink runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TopicDescription } from '../../../log/log.js';
import type { StartedTask, TaskParts } from '../parts.js';
import { queueKey } from './sink-queue.js';
import type { SinkTopics } from './sink-topics.js';

export interface QueuesToComeOptions {
  readonly topics: Pick<SinkTopics, 'look' | 'ensure' | 'own'>;
  readonly intervalMs: number;
  readonly start: (parts: TaskParts, topics: readonly TopicDescription[]) => Promise<StartedTask>;
}

/**
 * Runs the sink, and where it has a new queue to read, or a topic has become another one, flushes, commits and stops it
 * in order and starts it on what there is. A topic or queue that is gone is not looked for: reading it fails, and says why.
 */
export async function withQueuesToCome(
  parts: TaskParts,
  { topics, intervalMs, start }: QueuesToComeOptions,
): Promise<StartedTask> {
  const { signal, log } = parts.context;

  const begin = async (): Promise<{ readonly over: AbortController; readonly started: StartedTask }> => {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const found = await topics.ensure();
    if (topics.own(found).length === 0) log.info({}, 'there is no queue to read for this task yet');
    const started = await start({ ...parts, context: { ...parts.context, signal: either } }, found);
    void watch(found, over, either);
    return { over, started };
  };

  const watch = async (
    present: readonly TopicDescription[],
    over: AbortController,
    either: AbortSignal,
  ): Promise<void> => {
    const known = new Set(topics.own(present).map(queueKey));
    const ids = new Map(present.map(({ name, id }) => [name, id]));
    const isNew = (topic: TopicDescription): boolean =>
      topics.own([topic]).some((queue) => !known.has(queueKey(queue)) || ids.get(topic.name) !== topic.id);
    while (await passed(intervalMs, either)) {
      const found = await topics.look().catch((error: unknown) => {
        log.debug({ cause: String(error) }, 'the topics could not be looked at');
        return [];
      });
      const news = found.filter(isNew).map(({ name }) => name);
      if (news.length === 0) continue;
      log.info(
        { topics: news.slice(0, 20), count: news.length },
        'starts again: these topics have new queues',
      );
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
