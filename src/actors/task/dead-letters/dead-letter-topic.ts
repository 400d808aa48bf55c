import { hashBytes } from '../../../core/hash.js';
import type { DeadLetterSettings } from '../../../plugins/config-dead-letters.js';
import { newTopicSettings } from '../load-task.js';
import type { TaskParts } from '../parts.js';
import { Topics } from '../topics.js';

/** The dead-letter queue of a connector, which is there. */
export interface DeadLetterTopic {
  readonly name: string;
  /** By key, as any other record. */
  readonly queueOf: (key: Uint8Array | string | null) => number;
}

/** Creates it where that is allowed. DataError OWN_TOPIC, LogError LOG_UNKNOWN_TOPIC. */
export async function deadLetterTopic(
  { context, log }: Pick<TaskParts, 'context' | 'log'>,
  { topic: name, queues }: DeadLetterSettings,
): Promise<DeadLetterTopic> {
  const { settings } = context.params;
  const ofNode = newTopicSettings(settings);
  const topics = new Topics(log, () => ofNode && { ...ofNode, queues }, settings.ownTopics);
  const found = await topics.ensure(name);
  let turn = 0;
  return {
    name,
    queueOf: (key) => (key === null ? (turn = (turn + 1) % found) : hashBytes(key) % found),
  };
}
