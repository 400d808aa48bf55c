/** The consumer group of a shared sink. The proxy neither makes one nor says where it begins: over remoting, then. */
import type { RemotingClient } from '../remoting/client.js';

export interface SharedGroup {
  readonly group: string;
  readonly topics: readonly string[];
  /** A record that was handed out so often goes to the topic %DLQ%group. */
  readonly maxAttempts: number;
}

/**
 * A queue of which the group has no offset begins with its oldest message; POP by itself begins with the newest. Changes
 * nothing where it was done before.
 */
export async function prepareGroup(
  client: RemotingClient,
  { group, topics, maxAttempts }: SharedGroup,
): Promise<void> {
  await client.createGroup(group, { maxRetries: maxAttempts - 1 });
  // RocketMQ's tools look for groups by this topic.
  const retryTopic = `%RETRY%${group}`;
  if ((await client.queues(retryTopic)) === null) await client.createTopic(retryTopic, { queues: 1 });
  for (const topic of topics) {
    for (const queue of (await client.queues(topic, { fresh: true })) ?? []) {
      if ((await client.committedOffset(group, topic, queue)) !== null) continue;
      await client.commitOffset(group, topic, queue, await client.minOffset(topic, queue));
    }
  }
}
