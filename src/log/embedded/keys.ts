/**
 * How the store lies in lmdb: ordered keys (arrays compare element by element) and small binary values.
 *
 *     ['b', topicId, queue, base, count, appendedAt, size] -> the batch. Trim, retention and search read keys only
 *     ['d', topicId]                                       -> nothing: a deleted topic whose batches are still to go
 *     ['f', fence key]                                     -> epoch
 *     ['g', group, topicId, queue]                         -> committed offset
 *     ['m', 'format' | 'nextTopicId' | 'bytes']            -> number
 *     ['m', 'id']                                          -> text: the id of this store
 *     ['q', topicId, queue]                                -> start offset, end offset, bytes
 *     ['s', group]                                         -> JSON: names of the topics that it reads
 *     ['t', name]                                          -> JSON of the topic
 *
 * Topics are named by number, so that a topic created anew has nothing of the deleted one.
 */
import { LogError } from '../log.js';

export const FORMAT_VERSION = 1;

export type StoreKey = (string | number)[];

export interface KeyRange {
  readonly start: StoreKey;
  /** Exclusive. */
  readonly end: StoreKey;
}

export interface BatchKey {
  readonly base: number;
  readonly count: number;
  /** Milliseconds since 1970, by the clock of the appending process. */
  readonly appendedAt: number;
  readonly size: number;
}

export interface TopicMeta {
  readonly id: number;
  readonly queues: number;
  readonly retentionMs: number | null;
  readonly retentionBytes: number | null;
  readonly reserve: boolean;
  /** Topics that an older release has created have none. */
  readonly life?: string;
}

export interface QueueState {
  readonly start: number;
  readonly end: number;
  /** Space taken by its batches, see `spaceOf`. */
  readonly bytes: number;
}

export const topicKey = (name: string): StoreKey => ['t', name];
export const queueKey = (topicId: number, queue: number): StoreKey => ['q', topicId, queue];
export const droppedKey = (topicId: number): StoreKey => ['d', topicId];
export const fenceKey = (key: string): StoreKey => ['f', key];
export const groupKey = (group: string, topicId: number, queue: number): StoreKey => [
  'g',
  group,
  topicId,
  queue,
];
export const subscriptionKey = (group: string): StoreKey => ['s', group];
export const metaKey = (name: 'format' | 'id' | 'nextTopicId' | 'bytes'): StoreKey => ['m', name];

export const ALL_TOPICS: KeyRange = { start: ['t'], end: ['u'] };
export const ALL_GROUPS: KeyRange = { start: ['g'], end: ['h'] };
export const ALL_SUBSCRIPTIONS: KeyRange = { start: ['s'], end: ['t'] };
export const ALL_DROPPED: KeyRange = { start: ['d'], end: ['e'] };

export function groupRange(group: string): KeyRange {
  return { start: ['g', group], end: ['g', group, Number.MAX_VALUE] };
}

export function queueStatesOf(topicId: number): KeyRange {
  return { start: ['q', topicId], end: ['q', topicId + 1] };
}

export function batchesOf(topicId: number): KeyRange {
  return { start: ['b', topicId], end: ['b', topicId + 1] };
}

/** Batches of a queue whose base is `from` or later. */
export function batchesFrom(topicId: number, queue: number, from: number): KeyRange {
  return { start: ['b', topicId, queue, from], end: ['b', topicId, queue + 1] };
}

export function batchKey(topicId: number, queue: number, batch: BatchKey): StoreKey {
  return ['b', topicId, queue, batch.base, batch.count, batch.appendedAt, batch.size];
}

export function parseBatchKey(key: unknown): BatchKey {
  if (Array.isArray(key) && key.length === 7) {
    const [, , , base, count, appendedAt, size] = key as readonly unknown[];
    if (
      typeof base === 'number' &&
      typeof count === 'number' &&
      typeof appendedAt === 'number' &&
      typeof size === 'number'
    ) {
      return { base, count, appendedAt, size };
    }
  }
  throw damaged('the key of a batch');
}

/** One element of a key that was read, checked. */
export function keyText(key: unknown, index: number): string {
  const element: unknown = Array.isArray(key) ? key[index] : undefined;
  if (typeof element === 'string') return element;
  throw damaged('a key');
}

export function keyNumber(key: unknown, index: number): number {
  const element: unknown = Array.isArray(key) ? key[index] : undefined;
  if (typeof element === 'number') return element;
  throw damaged('a key');
}

/** Pages that a batch takes: larger values lie in pages of their own, small ones share. */
export function spaceOf(size: number): number {
  return size > 2000 ? Math.ceil((size + 16) / 4096) * 4096 : size + 96;
}

export function encodeNumbers(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(numbers.length * 8);
  for (const [i, value] of numbers.entries()) bytes.writeDoubleLE(value, i * 8);
  return bytes;
}

export function decodeNumber(bytes: Uint8Array): number {
  return numberAt(bytes, 0, 'a number');
}

export function decodeQueueState(bytes: Uint8Array): QueueState {
  return {
    start: numberAt(bytes, 0, 'the state of a queue'),
    end: numberAt(bytes, 8, 'the state of a queue'),
    bytes: numberAt(bytes, 16, 'the state of a queue'),
  };
}

function numberAt(bytes: Uint8Array, offset: number, what: string): number {
  if (bytes.byteLength < offset + 8) throw damaged(what);
  const value = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(offset, true);
  if (!Number.isSafeInteger(value) || value < 0) throw damaged(what);
  return value;
}

export function encodeTopic(meta: TopicMeta): Buffer {
  return Buffer.from(JSON.stringify(meta));
}

export function decodeTopic(bytes: Uint8Array): TopicMeta {
  const value = parseJson(bytes, 'the description of a topic');
  if (isTopicMeta(value)) return value;
  throw damaged('the description of a topic');
}

export function encodeSubscription(topics: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(topics));
}

export function decodeSubscription(bytes: Uint8Array): readonly string[] {
  const value = parseJson(bytes, 'the subscription of a group');
  if (Array.isArray(value) && value.every((topic) => typeof topic === 'string')) return value;
  throw damaged('the subscription of a group');
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw damaged(what, error);
  }
}

function isTopicMeta(value: unknown): value is TopicMeta {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const numberOrNull = (name: string): boolean =>
    fields.get(name) === null || typeof fields.get(name) === 'number';
  return (
    typeof fields.get('id') === 'number' &&
    typeof fields.get('queues') === 'number' &&
    numberOrNull('retentionMs') &&
    numberOrNull('retentionBytes') &&
    typeof fields.get('reserve') === 'boolean' &&
    ['string', 'undefined'].includes(typeof fields.get('life'))
  );
}

export function damaged(what: string, cause?: unknown): LogError {
  return new LogError(
    'LOG_CORRUPT',
    `the log's data file is damaged: ${what} is not readable. Stop the node and restore the log's folder from a copy, ` +
      `or move the folder away to begin with an empty log`,
    { cause },
  );
}
