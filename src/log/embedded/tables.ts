/**
 * Typed access to what the store holds. What changes something only stages the change, so it is called by work that
 * was given to `GroupCommit`; what is marked as scanning there goes alone.
 */
import { randomUUID } from 'node:crypto';

import { LogError } from '../log.js';
import type { EncodedBatch, Fence, TopicSettings } from '../log.js';
import { GroupTable } from './group-table.js';
import * as keys from './keys.js';
import type { BatchKey, QueueState, TopicMeta } from './keys.js';
import type { Staging } from './staging.js';

/** One step of a long deletion: bounds the time other writers wait for it. */
const STEP_BATCHES = 1000;
const STEP_BYTES = 64 * 1024 * 1024;

interface NamedTopic {
  readonly name: string;
  readonly meta: TopicMeta;
}

export class Tables {
  readonly groups: GroupTable;
  readonly #staging: Staging;
  /** Topics with `reserve`, and the topic id that was to be given next when they were looked for. */
  #reserved: { readonly nextId: number; readonly topics: readonly NamedTopic[] } | null = null;

  constructor(staging: Staging) {
    this.#staging = staging;
    this.groups = new GroupTable(staging);
  }

  // --- Topics. ---

  topic(name: string): TopicMeta | null {
    const bytes = this.#staging.get(keys.topicKey(name));
    return bytes === undefined ? null : keys.decodeTopic(bytes);
  }

  /** LogError LOG_UNKNOWN_TOPIC. */
  existing(name: string): TopicMeta {
    const meta = this.topic(name);
    if (meta === null) throw unknownTopic(name);
    return meta;
  }

  topics(): readonly NamedTopic[] {
    const found = [];
    for (const { key, value } of this.#staging.scan(keys.ALL_TOPICS)) {
      found.push({ name: keys.keyText(key, 1), meta: keys.decodeTopic(value) });
    }
    return found;
  }

  createTopic(name: string, settings: TopicSettings): TopicMeta {
    const existing = this.topic(name);
    if (existing !== null) return existing;
    const id = this.#number(keys.metaKey('nextTopicId'), 1);
    const { queues, retentionMs, retentionBytes, reserve = false } = settings;
    const meta: TopicMeta = { id, queues, retentionMs, retentionBytes, reserve, life: randomUUID() };
    this.#staging.put(keys.metaKey('nextTopicId'), keys.encodeNumbers(id + 1));
    this.#staging.put(keys.topicKey(name), keys.encodeTopic(meta));
    for (let queue = 0; queue < queues; queue++) this.#putState(id, queue, { start: 0, end: 0, bytes: 0 });
    return meta;
  }

  /** The topic is gone at once; its batches go in steps (`purgeStep`). */
  deleteTopic(name: string): TopicMeta {
    const meta = this.existing(name);
    this.#staging.remove(keys.topicKey(name));
    this.#staging.put(keys.droppedKey(meta.id), Buffer.alloc(1));
    return meta;
  }

  droppedTopics(): readonly number[] {
    return [...this.#staging.scanKeys(keys.ALL_DROPPED)].map((key) => keys.keyNumber(key, 1));
  }

  /** Deletes some of a deleted topic's batches; true when nothing is left. */
  purgeStep(topicId: number): boolean {
    if (this.#staging.get(keys.droppedKey(topicId)) === undefined) return true;
    let bytes = 0;
    let count = 0;
    for (const key of this.#staging.scanKeys({ ...keys.batchesOf(topicId), limit: STEP_BATCHES })) {
      const found = keys.parseBatchKey(key);
      this.#staging.remove(keys.batchKey(topicId, keys.keyNumber(key, 2), found));
      bytes += keys.spaceOf(found.size);
      count++;
      if (bytes >= STEP_BYTES) break;
    }
    this.#addBytes(-bytes);
    if (count > 0) return false;
    for (const key of this.#staging.scanKeys(keys.queueStatesOf(topicId)))
      this.#staging.remove(keys.queueKey(topicId, keys.keyNumber(key, 2)));
    this.groups.forgetTopic(topicId);
    this.#staging.remove(keys.droppedKey(topicId));
    return true;
  }

  // --- Queues. ---

  queue(topic: string, meta: TopicMeta, queue: number): QueueState {
    const state = this.queueById(meta.id, queue);
    if (state !== null) return state;
    throw new LogError(
      'LOG_UNKNOWN_QUEUE',
      `topic "${topic}" has queues 0 to ${meta.queues - 1}, not ${queue}`,
    );
  }

  /** Null when the queue, or its topic, is not there (any more). */
  queueById(topicId: number, queue: number): QueueState | null {
    const bytes = this.#staging.get(keys.queueKey(topicId, queue));
    return bytes === undefined ? null : keys.decodeQueueState(bytes);
  }

  /** The last batch of each queue ends where the queue does. LogError LOG_CORRUPT. */
  checkQueues(): void {
    for (const { meta } of this.topics()) {
      for (let queue = 0; queue < meta.queues; queue++) {
        const state = this.queueById(meta.id, queue);
        if (state === null) throw keys.damaged('the state of a queue');
        if (state.start === state.end) continue;
        const last = this.locate(meta.id, queue, state.end - 1);
        if (last === null || last.base + last.count !== state.end) throw keys.damaged('the end of a queue');
      }
    }
  }

  append(topicId: number, queue: number, batch: EncodedBatch, now: number): number {
    const state = this.queueById(topicId, queue);
    if (state === null) throw keys.damaged('the state of a queue');
    const size = batch.bytes.byteLength;
    const space = keys.spaceOf(size);
    const base = state.end;
    this.#staging.put(
      keys.batchKey(topicId, queue, { base, count: batch.count, appendedAt: now, size }),
      asBuffer(batch.bytes),
    );
    this.#putState(topicId, queue, {
      start: state.start,
      end: base + batch.count,
      bytes: state.bytes + space,
    });
    this.#addBytes(space);
    return base;
  }

  /** The batch that holds `offset`, or the next one behind it. */
  locate(topicId: number, queue: number, offset: number): BatchKey | null {
    const { start } = keys.batchesFrom(topicId, queue, offset + 1);
    const end = keys.batchesFrom(topicId, queue, 0).start;
    for (const key of this.#staging.scanKeys({ start, end, reverse: true, limit: 1 })) {
      const found = keys.parseBatchKey(key);
      if (found.base + found.count > offset) return found;
    }
    for (const found of this.batchKeys(topicId, queue, offset)) return found;
    return null;
  }

  *batchKeys(topicId: number, queue: number, from: number): Generator<BatchKey> {
    for (const key of this.#staging.scanKeys(keys.batchesFrom(topicId, queue, from)))
      yield keys.parseBatchKey(key);
  }

  /** The batch in memory of its own. */
  batch(topicId: number, queue: number, key: BatchKey): EncodedBatch {
    const value = this.#staging.getStored(keys.batchKey(topicId, queue, key));
    if (value?.byteLength !== key.size) throw keys.damaged(`the batch at offset ${key.base}`);
    const whole = value.byteLength === value.buffer.byteLength;
    return { bytes: whole ? new Uint8Array(value.buffer) : Uint8Array.from(value), count: key.count };
  }

  /**
   * Deletes some batches that end at or before `offset`; true when all are gone, and `offset` is the start. A batch
   * that only begins before it stays, hidden.
   */
  trimStep(topicId: number, queue: number, offset: number): boolean {
    const state = this.queueById(topicId, queue);
    if (state === null || offset <= state.start) return true;
    let bytes = 0;
    let done = true;
    let start = state.start;
    const range = { ...keys.batchesFrom(topicId, queue, 0), limit: STEP_BATCHES + 1 };
    let count = 0;
    for (const key of this.#staging.scanKeys(range)) {
      const found = keys.parseBatchKey(key);
      if (found.base + found.count > offset) break;
      if (count++ === STEP_BATCHES || bytes >= STEP_BYTES) {
        done = false;
        break;
      }
      this.#staging.remove(keys.batchKey(topicId, queue, found));
      bytes += keys.spaceOf(found.size);
      start = found.base + found.count;
    }
    this.#putState(topicId, queue, {
      start: done ? offset : start,
      end: state.end,
      bytes: state.bytes - bytes,
    });
    this.#addBytes(-bytes);
    return done;
  }

  /** Space taken by all batches. */
  totalBytes(): number {
    return this.#number(keys.metaKey('bytes'), 0);
  }

  /** Space taken by topics with `reserve`. */
  reservedBytes(): number {
    let sum = 0;
    for (const { name, meta } of this.#reservedTopics()) {
      const present = this.topic(name);
      // Deleted, or made anew, since they were looked for.
      if (present?.id !== meta.id) continue;
      for (let queue = 0; queue < present.queues; queue++)
        sum += this.queueById(present.id, queue)?.bytes ?? 0;
    }
    return sum;
  }

  /** Of thousands of topics these are a few; they are looked for again only when one was made, by any process. */
  #reservedTopics(): readonly NamedTopic[] {
    // What is stored, as the scan sees it: what is only staged will be looked for when it is.
    const stored = this.#staging.getStored(keys.metaKey('nextTopicId'));
    const nextId = stored === undefined ? 1 : keys.decodeNumber(stored);
    if (this.#reserved?.nextId !== nextId)
      this.#reserved = { nextId, topics: this.topics().filter(({ meta }) => meta.reserve) };
    return this.#reserved.topics;
  }

  /** See `Staging`. */
  markRecords(): void {
    this.#staging.markRecords();
  }

  // --- Fences. ---

  checkFence(fence: Fence): void {
    const epoch = this.#number(keys.fenceKey(fence.key), 0);
    if (epoch > fence.epoch) {
      throw new LogError(
        'LOG_FENCED',
        `epoch ${fence.epoch} of "${fence.key}" is over: epoch ${epoch} has begun. Stop this writer`,
      );
    }
  }

  raiseFence(fence: Fence): void {
    this.checkFence(fence);
    this.#staging.put(keys.fenceKey(fence.key), keys.encodeNumbers(fence.epoch));
  }

  // --- Inside. ---

  #number(key: keys.StoreKey, missing: number): number {
    const bytes = this.#staging.get(key);
    return bytes === undefined ? missing : keys.decodeNumber(bytes);
  }

  #addBytes(delta: number): void {
    if (delta !== 0)
      this.#staging.put(keys.metaKey('bytes'), keys.encodeNumbers(Math.max(0, this.totalBytes() + delta)));
  }

  #putState(topicId: number, queue: number, state: QueueState): void {
    this.#staging.put(
      keys.queueKey(topicId, queue),
      keys.encodeNumbers(state.start, state.end, Math.max(0, state.bytes)),
    );
  }
}

export function unknownTopic(name: string): LogError {
  return new LogError('LOG_UNKNOWN_TOPIC', `there is no topic "${name}": create it first`);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
