import { ConfigError } from '../../../sdk/errors.js';
import type { TaskParts } from '../parts.js';
import { newTopicSettings, type LoadedSink } from '../load-task.js';
import { Topics } from '../topics.js';

/**
 * The topics that a sink reads, in order, with their numbers of queues. Those that do not exist yet are created.
 * ConfigError OWN_TOPIC.
 */
export async function sinkTopics(
  { context, log }: Pick<TaskParts, 'context' | 'log'>,
  { topics: named, topicsRegex }: Pick<LoadedSink, 'topics' | 'topicsRegex'>,
): Promise<ReadonlyMap<string, number>> {
  const { settings } = context.params;
  const topics = new Topics(log, () => newTopicSettings(settings), settings.ownTopics);
  const own = new Set(settings.ownTopics);
  const ofCluster = named.find((name) => own.has(name));
  if (ofCluster !== undefined) throw ownTopic(ofCluster);
  const names = new Set(named);
  if (topicsRegex !== null) {
    for (const { name } of await log.listTopics())
      if (topicsRegex.test(name) && !own.has(name)) names.add(name);
  }
  const queues = new Map<string, number>();
  for (const topic of [...names].sort()) queues.set(topic, await topics.ensure(topic));
  return queues;
}

function ownTopic(topic: string): ConfigError {
  return new ConfigError(
    `topic ${topic} is the cluster's own, and what it holds is for nobody else: it may be the secrets of other connectors. Read another topic`,
    { code: 'OWN_TOPIC', field: 'topics' },
  );
}
