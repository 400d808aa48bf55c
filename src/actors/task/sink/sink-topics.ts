import type { TaskParts } from '../parts.js';
import { newTopicSettings, type LoadedSink } from '../load-task.js';
import { Topics } from '../topics.js';

/** The topics that a sink reads, in order, with their numbers of queues. Those that do not exist yet are created. */
export async function sinkTopics(
  { context, log }: Pick<TaskParts, 'context' | 'log'>,
  { topics: named, topicsRegex }: Pick<LoadedSink, 'topics' | 'topicsRegex'>,
): Promise<ReadonlyMap<string, number>> {
  const { settings } = context.params;
  const topics = new Topics(log, () => newTopicSettings(settings));
  const names = new Set(named);
  if (topicsRegex !== null) {
    const own = new Set(settings.ownTopics);
    for (const { name } of await log.listTopics())
      if (topicsRegex.test(name) && !own.has(name)) names.add(name);
  }
  const queues = new Map<string, number>();
  for (const topic of [...names].sort()) queues.set(topic, await topics.ensure(topic));
  return queues;
}
