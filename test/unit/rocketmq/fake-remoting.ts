/** A remoting client that answers nothing, but for what a test gives it. */
import type { Remoting } from '#troupe/log/rocketmq/rocketmq-log.js';

export function fakeRemoting(parts: Partial<Remoting>): Remoting {
  const unexpected = (): Promise<never> => Promise.reject(new Error('not expected to be called'));
  return {
    queues: unexpected,
    registeredBrokers: unexpected,
    keptQueues: () => Promise.resolve(null),
    keepQueues: () => Promise.resolve(),
    forgetQueues: () => Promise.resolve(),
    masters: unexpected,
    createTopic: unexpected,
    deleteTopic: unexpected,
    listTopics: unexpected,
    topicStats: unexpected,
    createGroup: unexpected,
    ensureGroup: unexpected,
    deleteGroup: unexpected,
    listGroups: unexpected,
    sendBatch: unexpected,
    pull: unexpected,
    minOffset: unexpected,
    maxOffset: unexpected,
    committedOffset: unexpected,
    commitOffset: unexpected,
    consumeStats: unexpected,
    close: () => Promise.resolve(),
    ...parts,
  };
}
