import type { ScaleTopics, TopicName, Written } from './scale-topics.js';

/** A second. */
export interface Rate {
  readonly messages: number;
  readonly bytes: number;
  /** Of the bytes, those of snapshots. */
  readonly snapshotBytes: number;
}

export type Rates = Readonly<Record<TopicName, Rate>>;

export interface ScaleResult {
  /** Times are virtual, in milliseconds. Until all nodes are members that may have tasks. */
  readonly formedMs: number;
  /** From the creation of all connectors to all tasks running, shared out evenly. */
  readonly placedMs: number;
  readonly steady: Rates;
  /** In the second after one connector's config changed. */
  readonly afterChange: Rates;
  readonly changedMs: number;
  readonly killed: number;
  /** From the kill to each task running once, shared out evenly, all digests equal. */
  readonly convergedMs: number;
  readonly writtenByThen: Readonly<Record<TopicName, Omit<Written, 'snapshotBytes'>>>;
  readonly kinds: ScaleTopics['kinds'];
  readonly steps: number;
  /** At the end: tasks that run, and by how much the loads of two nodes differ at most. */
  readonly running: number;
  readonly loadsDifferBy: number;
  /** Copies of the four states that were the same as the first one. */
  readonly digestsCompared: number;
}

export function less(after: Written, before: Written): Written {
  return {
    messages: after.messages - before.messages,
    bytes: after.bytes - before.bytes,
    snapshotBytes: after.snapshotBytes - before.snapshotBytes,
  };
}
