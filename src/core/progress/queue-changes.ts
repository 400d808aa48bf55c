/** Which queues a running sink lets go of, and which it takes up. */
import type { QueueRef } from '../../sdk/plugin.js';

export interface PresentQueue extends QueueRef {
  /** Of the life of the topic that it is read from; null: the log cannot tell. */
  readonly topicId: string | null;
}

export interface FoundQueues {
  /** Those that are the task's. */
  readonly own: readonly QueueRef[];
  /** Of all topics that were found, by name. */
  readonly topicIds: ReadonlyMap<string, string | null>;
}

export interface QueueChange<Q extends PresentQueue> {
  readonly leaving: readonly Q[];
  readonly coming: readonly QueueRef[];
}

/** Topics of which a read has shown that this life of theirs is over: to its id, null where the log cannot tell. */
export type GoneTopics = ReadonlyMap<string, string | null>;

/**
 * That a topic was not found says nothing:
 * where it is deleted reading it fails, and a list may be behind.
 */
export function queueChange<Q extends PresentQueue>(
  present: readonly Q[],
  { own, topicIds }: FoundQueues,
  gone: GoneTopics,
): QueueChange<Q> {
  const leaving = present.filter(({ topic, topicId }) => {
    const id = topicIds.get(topic);
    return gone.get(topic) === topicId || (id !== undefined && id !== topicId);
  });
  const left = new Set(leaving);
  const kept = present.filter((queue) => !left.has(queue));
  const coming = own.filter(
    ({ topic, queue }) => !kept.some((each) => each.queue === queue && each.topic === topic),
  );
  return { leaving, coming };
}
