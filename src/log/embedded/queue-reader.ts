/** Reads of one store: from its cache of new batches, else from lmdb, at once or when there is something. */
import { LRUCache } from 'lru-cache';

import { LogError, MAX_BATCH_BYTES } from '../log.js';
import type * as port from '../log.js';
import type { QueueState, TopicMeta } from './keys.js';
import { ParkedReads } from './parked-reads.js';
import type { ParkedRead } from './parked-reads.js';
import { unknownTopic } from './tables.js';
import type { Tables } from './tables.js';

export interface QueueReaderOptions {
  /** Newest batches kept in memory until a tailing reader takes them. */
  readonly cacheBytes: number;
  readonly maxParkedReads: number;
  /** Looks at the newest commit; throws LogError only. */
  readonly look: <T>(at: (tables: Tables) => T) => T;
}

export interface QueuePlace {
  readonly topic: string;
  readonly queue: number;
  readonly offset: number;
}

/** Indexes of what was asked for. */
export interface ReadableQueues {
  /** They have records from their offset on, or reading them says what is wrong. */
  readonly readable: readonly number[];
  /** Their topic is not there any more, or is not the one that it was. */
  readonly gone: readonly number[];
}

/** Whatever a reader asks for: bounds the memory of one answer, but for a single larger batch. */
const MAX_ANSWER_BYTES = MAX_BATCH_BYTES;

export class QueueReader {
  readonly #look: QueueReaderOptions['look'];
  readonly #parked: ParkedReads;
  readonly #cache: LRUCache<string, port.EncodedBatch>;

  constructor(options: QueueReaderOptions) {
    this.#look = options.look;
    this.#parked = new ParkedReads(options.maxParkedReads);
    this.#cache = new LRUCache({
      maxSize: Math.max(1, options.cacheBytes),
      sizeCalculation: (batch) => batch.bytes.byteLength,
    });
  }

  get parked(): number {
    return this.#parked.count;
  }

  get cachedBytes(): number {
    return this.#cache.calculatedSize;
  }

  async read(request: port.ReadRequest): Promise<port.ReadResult> {
    const meta = this.#look((tables) => tables.existing(request.topic));
    const result = this.#collect(meta, request);
    if (result.batches.length > 0 || request.waitMs === 0) return result;
    return new Promise((resolve, reject) => {
      const parked = this.#parkedRead(meta, request, resolve, reject);
      this.#parked.park([queueId(meta.id, request.queue)], parked, request.waitMs, request.signal);
    });
  }

  /** Waits for the first of many queues that can be read. Neither: the time is over. */
  async awaitRecords(
    places: readonly QueuePlace[],
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<ReadableQueues> {
    const topicIds = new Map<string, number | null>();
    this.#look((tables) => {
      for (const { topic } of places)
        if (!topicIds.has(topic)) topicIds.set(topic, tables.topic(topic)?.id ?? null);
    });
    const now = this.#readable(
      places.map((place, index) => ({ index, place })),
      topicIds,
    );
    if (now.readable.length > 0 || now.gone.length > 0) return now;
    const byQueue = new Map<string, { readonly index: number; readonly place: QueuePlace }[]>();
    for (const [index, place] of places.entries()) {
      const id = queueId(topicIds.get(place.topic) ?? 0, place.queue);
      byQueue.set(id, [...(byQueue.get(id) ?? []), { index, place }]);
    }
    return new Promise((resolve, reject) => {
      const fail: (error: unknown) => void = reject;
      const tryAnswer = (queue: string): boolean => {
        try {
          const found = this.#readable(byQueue.get(queue) ?? [], topicIds);
          if (found.readable.length === 0 && found.gone.length === 0) return false;
          resolve(found);
        } catch (error) {
          fail(error);
        }
        return true;
      };
      const giveUp = (): void => {
        resolve({ readable: [], gone: [] });
      };
      this.#parked.park([...byQueue.keys()], { tryAnswer, giveUp, fail }, waitMs, signal);
    });
  }

  #readable(
    asked: readonly { readonly index: number; readonly place: QueuePlace }[],
    topicIds: ReadonlyMap<string, number | null>,
  ): ReadableQueues {
    return this.#look((tables) => {
      const readable: number[] = [];
      const gone: number[] = [];
      const present = new Map<string, number | null>();
      for (const { index, place } of asked) {
        const { topic, queue, offset } = place;
        if (!present.has(topic)) present.set(topic, tables.topic(topic)?.id ?? null);
        const id = present.get(topic) ?? null;
        if (id === null || id !== topicIds.get(topic)) gone.push(index);
        else if (tables.queueById(id, queue)?.end !== offset) readable.push(index);
      }
      return { readable, gone };
    });
  }

  /** A batch was appended here. */
  remember(topicId: number, queue: number, base: number, batch: port.EncodedBatch): void {
    this.#cache.set(`${queueId(topicId, queue)}/${base}`, batch);
  }

  /** Something was appended to the queue, or it has gone. */
  wake(topicId: number, queue: number): void {
    this.#parked.wake(queueId(topicId, queue));
  }

  wakeAll(): void {
    this.#parked.wakeAll();
  }

  close(error: LogError): void {
    this.#parked.failAll(error);
    this.#cache.clear();
  }

  #collect(meta: TopicMeta, request: port.ReadRequest): port.ReadResult {
    const { topic, queue, offset } = request;
    return this.#look((tables) => {
      const state = tables.queue(topic, meta, queue);
      if (offset > state.end) {
        const message = `offset ${offset} is behind the end (${state.end}) of "${topic}" queue ${queue}`;
        throw new LogError('LOG_BAD_REQUEST', message);
      }
      const batches = this.#batches(tables, meta.id, state, request);
      const last = batches.at(-1);
      return {
        batches,
        nextOffset: last === undefined ? Math.max(offset, state.start) : last.baseOffset + last.batch.count,
        startOffset: state.start,
        endOffset: state.end,
      };
    });
  }

  #batches(
    tables: Tables,
    topicId: number,
    state: QueueState,
    request: port.ReadRequest,
  ): port.StoredBatch[] {
    const answer = new Answer(Math.max(request.offset, state.start), request);
    const id = queueId(topicId, request.queue);
    while (answer.next < state.end) {
      const key = `${id}/${answer.next}`;
      const cached = this.#cache.get(key);
      if (cached === undefined) break;
      if (!answer.fits(cached.bytes.byteLength, cached.count)) return answer.batches;
      // Taken out, not copied: a batch read is its reader's own. Whoever reads it next gets it from lmdb.
      this.#cache.delete(key);
      answer.take(answer.next, cached, { fresh: true });
    }
    if (answer.next >= state.end) return answer.batches;
    const located = tables.locate(topicId, request.queue, answer.next);
    if (located === null) return answer.batches;
    for (const key of tables.batchKeys(topicId, request.queue, located.base)) {
      if (!answer.fits(key.size, key.base + key.count - answer.next)) break;
      answer.take(key.base, tables.batch(topicId, request.queue, key));
    }
    return answer.batches;
  }

  #parkedRead(
    meta: TopicMeta,
    request: port.ReadRequest,
    resolve: (result: port.ReadResult) => void,
    reject: (error: unknown) => void,
  ): ParkedRead {
    const answer = (evenIfEmpty: boolean): boolean => {
      try {
        const current = this.#look((tables) => tables.topic(request.topic));
        if (current?.id !== meta.id) throw unknownTopic(request.topic);
        const result = this.#collect(meta, request);
        if (result.batches.length === 0 && !evenIfEmpty) return false;
        resolve(result);
      } catch (error) {
        reject(error);
      }
      return true;
    };
    return { tryAnswer: () => answer(false), giveUp: () => void answer(true), fail: reject };
  }
}

/** Batches in order, up to the caps of the request; the first one in any case. */
class Answer {
  readonly batches: port.StoredBatch[] = [];
  next: number;
  #bytesLeft: number;
  #recordsLeft: number;

  constructor(first: number, request: port.ReadRequest) {
    this.next = first;
    this.#bytesLeft = Math.min(request.maxBytes, MAX_ANSWER_BYTES);
    this.#recordsLeft = request.maxRecords;
  }

  /** `records`: those from `next` on. */
  fits(bytes: number, records: number): boolean {
    return this.batches.length === 0 || (bytes <= this.#bytesLeft && records <= this.#recordsLeft);
  }

  take(baseOffset: number, batch: port.EncodedBatch, more: Pick<port.StoredBatch, 'fresh'> = {}): void {
    const end = baseOffset + batch.count;
    this.batches.push({ baseOffset, batch, ...more });
    this.#bytesLeft -= batch.bytes.byteLength;
    this.#recordsLeft -= end - this.next;
    this.next = end;
  }
}

function queueId(topicId: number, queue: number): string {
  return `${topicId}/${queue}`;
}
