import type { SinkRest } from '../../../core/cluster/passivation.js';
import type { QueueOffset } from '../../../sdk/plugin.js';
import type { TaskActorContext } from '../parts.js';
import type { LoadedSink } from '../load-task.js';
import { queueKey } from './sink-queue.js';
import type { SinkTopics } from './sink-topics.js';

/** How often a topic is looked for that does not exist. */
const MISSING_MS = 1000;

export interface Resting {
  /** How long there is nothing to do before. */
  readonly afterMs: number;
  /**
   * Ends the loop by the signal of its task. Everything before these offsets of all its queues is committed. False: it
   * cannot rest now.
   */
  readonly begin: (queues: readonly QueueOffset[]) => boolean;
}

/** Null: the task keeps its thread. */
export function restingOf(
  { params, passivate }: Pick<TaskActorContext, 'params' | 'passivate'>,
  { topicsRegex: pattern, topicsRefreshMs: refreshMs }: Pick<LoadedSink, 'topicsRegex' | 'topicsRefreshMs'>,
  topics: Pick<SinkTopics, 'found' | 'missing' | 'named' | 'own'>,
  topicId: (topic: string) => string | null,
): Resting | null {
  if (params.passivateAfterMs === 0) return null;
  return {
    afterMs: params.passivateAfterMs,
    begin: (queues) => {
      const { found, named } = topics;
      // What has changed it takes up first.
      const read = new Set(queues.map(queueKey));
      const own = topics.own(found);
      if (own.length !== read.size || !own.every((queue) => read.has(queueKey(queue)))) return false;
      const known = found.map(({ name, queues: count, id }) => ({ name, queues: count, id }));
      if (known.some(({ name, id }) => own.some(({ topic }) => topic === name) && topicId(name) !== id))
        return false;
      const isMissing = topics.missing(found).length > 0;
      const rest: SinkRest = {
        kind: 'sink',
        since: Date.now(),
        queues,
        topics: { named, pattern, refreshMs: isMissing ? Math.min(refreshMs, MISSING_MS) : refreshMs, known },
      };
      passivate(rest);
      return true;
    },
  };
}
