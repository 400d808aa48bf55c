/** Where a sink goes on in a queue: its offsets belong to one life of the topic. */
import type { SinkOffset } from './progress-machine.js';

export interface QueueAtStart {
  /** What the sink has committed; absent: nothing yet. */
  readonly committed: SinkOffset | undefined;
  /** Of the topic as it is now, as in its description. */
  readonly topicId: string | null;
  /** Null: not known at the moment. */
  readonly range: { readonly startOffset: number; readonly endOffset: number } | null;
}

export interface Beginning {
  readonly offset: number;
  /**
   * `anew`: what was committed is of another topic of that name, or of one that has lost its end, and there is no telling
   * what of it the sink has had.
   */
  readonly how: 'first' | 'goes on' | 'anew';
  /** Made durable before anything is read: what was committed says something else, or nothing. */
  readonly commit: boolean;
}

export function beginningOf({ committed, topicId, range }: QueueAtStart): Beginning {
  // Where the range is not known offset 0 leads to the oldest record there is, too.
  const oldest = range?.startOffset ?? 0;
  if (committed === undefined) return { offset: oldest, how: 'first', commit: range !== null };
  const { offset, topicId: committedId } = committed;
  const other = committedId !== undefined && committedId !== topicId;
  const beyond = range !== null && offset > range.endOffset;
  if (other || beyond) return { offset: oldest, how: 'anew', commit: true };
  // Written by a release that knew no ids: this is the topic it was written for, as far as anybody can tell.
  return { offset, how: 'goes on', commit: committedId === undefined && topicId !== null };
}
