/** Which queues of its topics each task of a sink reads. */
import type { QueueRef } from '../../sdk/plugin.js';
import { hashBytes } from '../hash.js';

export interface Dealt {
  /** Names and numbers of queues, in the order of the names. */
  readonly topics: ReadonlyMap<string, number>;
  /** Topics come and go while the tasks run, so these may know different ones. */
  readonly changing: boolean;
  readonly tasks: number;
  /** Which of the tasks, from 0. */
  readonly index: number;
}

/**
 * Dealt in turn over all topics. Where these change each topic is dealt by itself, from a task that its name decides:
 * then a topic more changes nothing about the others, and tasks that do not know it yet still agree on every queue.
 */
export function assignQueues({ topics, changing, tasks, index }: Dealt): readonly QueueRef[] {
  const dealt: QueueRef[] = [];
  let next = 0;
  for (const [topic, queues] of topics) {
    if (changing) next = hashBytes(topic);
    for (let queue = 0; queue < queues; queue += 1, next += 1)
      if (next % tasks === index) dealt.push({ topic, queue });
  }
  return dealt;
}
