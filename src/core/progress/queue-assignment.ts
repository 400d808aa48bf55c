/** Which queues of its topics each task of a sink reads. */
import type { QueueRef } from '../../sdk/plugin.js';
import { hashBytes } from '../hash.js';

/** What all tasks of one plan know alike: it comes with the plan. */
export interface Sharing {
  /** The topics of `topics`, in the order of their names. */
  readonly named: readonly string[];
  readonly tasks: number;
}

/**
 * The task that reads a queue, from 0. It follows from the plan and the queue alone. How many queues a topic has and
 * which topics there are each task finds out by itself, at another time than the others; where that counted, a topic
 * that grew would have a queue with two readers and one with none. So nothing but a new plan moves a queue.
 *
 * The queues of a topic go to the tasks in turn. Those of `topics` begin at tasks as far from each other as can be,
 * those of a pattern where their names say.
 */
function readerOf({ named, tasks }: Sharing, { topic, queue }: QueueRef): number {
  const place = named.indexOf(topic);
  const first = place < 0 ? hashBytes(topic) : Math.floor((place * tasks) / named.length);
  return (first + queue) % tasks;
}

/** The queues of one of the tasks. `topics`: names and numbers of queues. */
export function queuesOf(
  sharing: Sharing,
  index: number,
  topics: Iterable<readonly [topic: string, queues: number]>,
): readonly QueueRef[] {
  const own: QueueRef[] = [];
  for (const [topic, queues] of topics) {
    const first = readerOf(sharing, { topic, queue: 0 });
    for (let queue = (index - first + sharing.tasks) % sharing.tasks; queue < queues; queue += sharing.tasks)
      own.push({ topic, queue });
  }
  return own;
}
