/**
 * Progress as two replicated states: positions of sources and offsets of sinks. Both are fenced the same way.
 *
 * Epochs grow over the whole cluster, so they order all owners of all units. A write is ignored when its epoch is
 * older than the newest fence of its unit, or not newer than the connector's last reset, or older than the epoch that
 * last wrote the same key. The last rule covers a partition that moved from one task of a connector to another in a
 * new plan: a late word of the old task cannot undo what the new one wrote, though nobody fenced the old unit.
 */
import { canonicalJson } from '../replica/canonical-json.js';
import { count, isObject, object, optional, text } from '../replica/json-shape.js';
import type { SourcePosition, TransactionPart } from '../model.js';
import { progressMachine, type ProgressOf, type ProgressState } from './progress-rules.js';

export { newestEpoch, uncoveredOf } from './progress-rules.js';
export type { ProgressResult, ProgressState, QueueTail, Uncovered } from './progress-rules.js';

/** The next offset to read of a queue. */
export interface SinkOffset {
  readonly topic: string;
  readonly queue: number;
  readonly offset: number;
  /** Of the topic that it was read from (`TopicDescription.id`), where the log gives one. Older releases did not keep it. */
  readonly topicId?: string;
}

export type PositionEntry = ProgressOf<SourcePosition>;
export type OffsetEntry = ProgressOf<SinkOffset>;
export type PositionState = ProgressState<SourcePosition>;
export type OffsetState = ProgressState<SinkOffset>;

function isJsonObject(value: unknown): value is SourcePosition['partition'] {
  return isObject(value);
}

const isPosition = object<SourcePosition>({ partition: isJsonObject, position: isJsonObject });
const isOffset = object<SinkOffset>({ topic: text, queue: count, offset: count, topicId: optional(text) });

/** What a source partition is known by: equal ones have equal keys, whatever the order of theirs. */
export function partitionKey(partition: SourcePosition['partition']): string {
  return canonicalJson(partition);
}

/** Positions are opaque: within an epoch the order of the log decides. */
export const positionMachine = progressMachine<SourcePosition>({
  name: 'position',
  isItem: isPosition,
  keyOf: ({ partition }) => partitionKey(partition),
  supersedes: () => true,
});

/** What an offset is known by. */
export function offsetKey({ topic, queue }: Pick<SinkOffset, 'topic' | 'queue'>): string {
  return `${queue} ${topic}`;
}

/** Offsets move forward only, unless the entry says `reset`. */
export const offsetMachine = progressMachine<SinkOffset>({
  name: 'offset',
  isItem: isOffset,
  keyOf: offsetKey,
  supersedes: (item, present) => item.offset > present.offset,
});

export function positionsOf(state: PositionState, connector: string): SourcePosition[] {
  return itemsOf(state, connector);
}

export function offsetsOf(state: OffsetState, connector: string): SinkOffset[] {
  return itemsOf(state, connector);
}

/** Of transactions of the connector that stand in the log in part. */
export function partsOf(state: PositionState, connector: string): TransactionPart[] {
  return (
    state.connectors
      .get(connector)
      ?.parts.recorded()
      .map(({ part }) => part) ?? []
  );
}

/** How many source partitions of the connector have a position. */
export function partitionsOf(state: PositionState, connector: string): number {
  return state.connectors.get(connector)?.items.size ?? 0;
}

function itemsOf<T>(state: ProgressState<T>, connector: string): T[] {
  return [...(state.connectors.get(connector)?.items.values() ?? [])].map(({ item }) => item);
}
