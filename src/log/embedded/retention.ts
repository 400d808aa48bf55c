/** What retention deletes: by age whatever was read, by size only what every group on the topic is past. */
import { spaceOf } from './keys.js';
import type { QueueState, TopicMeta } from './keys.js';
import type { Tables } from './tables.js';

export interface Cut {
  readonly topicId: number;
  readonly queue: number;
  /** Records before it go. */
  readonly offset: number;
}

/** Whole batches only. `now`: milliseconds since 1970; a clock set back only keeps records longer. */
export function retentionCuts(tables: Tables, now: number): readonly Cut[] {
  const topics = tables.topics();
  const slowest = tables.groups.slowest(new Map(topics.map(({ name, meta }) => [name, meta.id])));
  const cuts: Cut[] = [];
  for (const { meta } of topics) {
    if (meta.retentionMs === null && meta.retentionBytes === null) continue;
    for (let queue = 0; queue < meta.queues; queue++) {
      const state = tables.queueById(meta.id, queue);
      if (state === null || state.start === state.end) continue;
      const unread = slowest.get(meta.id)?.(queue) ?? Infinity;
      const offset = cutOf(tables, meta, queue, state, unread, now);
      if (offset > state.start) cuts.push({ topicId: meta.id, queue, offset });
    }
  }
  return cuts;
}

function cutOf(
  tables: Tables,
  meta: TopicMeta,
  queue: number,
  state: QueueState,
  unread: number,
  now: number,
): number {
  const oldest = meta.retentionMs === null ? -Infinity : now - meta.retentionMs;
  let excess = meta.retentionBytes === null ? 0 : state.bytes - meta.retentionBytes;
  let offset = state.start;
  for (const batch of tables.batchKeys(meta.id, queue, 0)) {
    const end = batch.base + batch.count;
    if (!(batch.appendedAt < oldest) && !(excess > 0 && end <= unread)) break;
    offset = end;
    excess -= spaceOf(batch.size);
  }
  return offset;
}
