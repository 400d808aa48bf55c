/** What entries and snapshots of progress look like as JSON. */
import {
  count,
  flag,
  isObject,
  listOf,
  nullable,
  object,
  optional,
  text,
  type Shape,
} from '../replica/json-shape.js';
import type { TransactionPart, UnitKey } from '../model.js';
import type { AppendedRecord, ProgressEntry, ProgressOf, QueueTail, Uncovered } from './progress-rules.js';
import { isTransactionPart } from './transaction-parts.js';

export const isFenceEntry = object<{ unit: UnitKey; epoch: number }>({ unit: text, epoch: count });
const isDropEntry = object<{ connector: string; upTo?: number }>({ connector: text, upTo: optional(count) });

const isTail = object<QueueTail>({ topic: text, queue: count, offset: count });

function isLeft(value: unknown): value is AppendedRecord {
  return Array.isArray(value) && value.length === 2 && value.every(count);
}

export function entryShape<T>(isItem: Shape<T>): Shape<ProgressOf<T>> {
  const isProgress = object<
    Pick<ProgressEntry<T>, 'items' | 'reset' | 'retired' | 'tails' | 'left' | 'parts'>
  >({
    items: listOf(isItem),
    reset: optional(flag),
    retired: optional(listOf(text)),
    tails: optional(listOf(isTail)),
    left: optional(listOf(isLeft)),
    parts: optional(listOf(isTransactionPart)),
  });
  const isReset = object<{ items: readonly T[] | null; removed?: readonly string[] }>({
    items: nullable(listOf(isItem)),
    removed: optional(listOf(text)),
  });
  const shapes = new Map<unknown, (value: unknown) => boolean>([
    ['FENCE', isFenceEntry],
    ['PROGRESS', (value) => isFenceEntry(value) && isProgress(value)],
    ['DROP', isDropEntry],
    ['RESET', (value) => isDropEntry(value) && isReset(value)],
  ]);
  return (value): value is ProgressOf<T> => isObject(value) && shapes.get(value['type'])?.(value) === true;
}

interface RecordedPart {
  readonly part: TransactionPart;
  readonly epoch: number;
}

/** With a part of a transaction of its, if there is one; releases that know of none read the rest. */
export const isConnector = object<{ connector: string; floor: number; part?: RecordedPart }>({
  connector: text,
  floor: count,
  part: optional(object<RecordedPart>({ part: isTransactionPart, epoch: count })),
});
export const isUncovered = object<{ unit: UnitKey } & Uncovered>({
  unit: text,
  tails: listOf(isTail),
  left: listOf(isLeft),
});
