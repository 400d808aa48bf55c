/** A few records of a topic, as they stand in it: bounded in number, bytes and time, and with no offset of anybody moved. */
import { BatchBuilder, BatchReader } from '../../log/batch.js';
import type { Log, QueueRange } from '../../log/log.js';
import { ConnectError } from '../../sdk/errors.js';

/** `earliest`, `latest`: so many at the beginning, or the end. */
export type WindowFrom =
  | { readonly kind: 'earliest' | 'latest' }
  | { readonly kind: 'offset'; readonly offset: number }
  /** The first one that is as new: milliseconds since 1970. */
  | { readonly kind: 'timestamp'; readonly timestamp: number }
  /** By queue; of others the oldest. */
  | { readonly kind: 'offsets'; readonly offsets: ReadonlyMap<number, number> };

export interface WindowRequest {
  readonly topic: string;
  /** null: all, and the limit is shared out among them. */
  readonly queue: number | null;
  readonly from: WindowFrom;
  readonly limit: number;
}

/** Consecutive records of a queue, in a batch of their own. */
export interface Run {
  readonly topic: string;
  readonly queue: number;
  readonly baseOffset: number;
  readonly bytes: Uint8Array;
}

export interface WindowQueue extends QueueRange {
  /** The first that was read, and the first that was not. */
  readonly from: number;
  readonly next: number;
}

export interface Window {
  readonly runs: readonly Run[];
  readonly queues: readonly WindowQueue[];
  /** Fewer than asked for are here, as they are large, or reading took long. */
  readonly stopped: 'BYTES' | 'TIME' | null;
}

/** Keys, values and headers of all records of a window; at least one is in it. */
const MAX_BYTES = 1024 * 1024;
const MAX_MS = 10_000;
/** At once; a batch comes whole, however large. */
const READ_BYTES = 256 * 1024;

type Reads = Pick<Log, 'read' | 'ranges'>;

/** Throws QUEUE_NOT_FOUND, and the log's own. */
export async function readWindow(
  log: Reads,
  { topic, queue, from, limit }: WindowRequest,
  signal: AbortSignal,
  now: () => number = () => performance.now(),
): Promise<Window> {
  const ranges = (await log.ranges(topic)).filter((range) => queue === null || range.queue === queue);
  if (ranges.length === 0)
    throw new ConnectError(`topic ${topic} has no queue ${String(queue)}`, { code: 'QUEUE_NOT_FOUND' });
  const share = Math.max(1, Math.floor(limit / ranges.length));
  const budget = { bytes: MAX_BYTES, records: limit, until: now() + MAX_MS };
  const reader = new WindowReader(log, topic, budget, signal, now);
  const queues: WindowQueue[] = [];
  for (const range of ranges) {
    const first = await reader.firstOf(range, from, share);
    queues.push({ ...range, from: first, next: await reader.take(range, first, share) });
  }
  return { runs: reader.runs, queues, stopped: reader.stopped };
}

interface Budget {
  bytes: number;
  records: number;
  readonly until: number;
}

class WindowReader {
  readonly runs: Run[] = [];
  stopped: Window['stopped'] = null;
  readonly #log: Reads;
  readonly #topic: string;
  readonly #left: Budget;
  readonly #signal: AbortSignal;
  readonly #now: () => number;

  constructor(log: Reads, topic: string, budget: Budget, signal: AbortSignal, now: () => number) {
    this.#log = log;
    this.#topic = topic;
    this.#left = budget;
    this.#signal = signal;
    this.#now = now;
  }

  async firstOf(range: QueueRange, from: WindowFrom, share: number): Promise<number> {
    const within = (offset: number): number => Math.min(Math.max(offset, range.startOffset), range.endOffset);
    switch (from.kind) {
      case 'earliest':
        return range.startOffset;
      case 'latest':
        return within(range.endOffset - share);
      case 'offset':
        return within(from.offset);
      case 'offsets':
        return within(from.offsets.get(range.queue) ?? range.startOffset);
      case 'timestamp':
        return this.#firstSince(range, from.timestamp);
    }
  }

  /** The first offset that was not taken. */
  async take({ queue, endOffset }: QueueRange, from: number, share: number): Promise<number> {
    let next = from;
    let left = Math.min(share, this.#left.records);
    while (left > 0 && next < endOffset && this.#goesOn()) {
      const { batches, nextOffset } = await this.#read(queue, next, left, READ_BYTES);
      for (const { baseOffset, batch } of batches) {
        const reader = BatchReader.open(batch.bytes);
        const at = Math.max(0, next - baseOffset);
        const count = this.#pack(queue, baseOffset, reader, at, left);
        left -= count;
        if (count > 0) next = baseOffset + at + count;
        if (at + count < reader.count) return next;
      }
      // Behind what was deleted meanwhile.
      next = Math.max(next, nextOffset);
    }
    return next;
  }

  #goesOn(): boolean {
    this.#signal.throwIfAborted();
    if (this.stopped === null && this.#now() > this.#left.until) this.stopped = 'TIME';
    return this.stopped === null;
  }

  /** How many of a batch were taken. */
  #pack(queue: number, baseOffset: number, reader: BatchReader, from: number, max: number): number {
    const builder = new BatchBuilder();
    let index = from;
    for (; index < reader.count && index - from < max; index += 1) {
      const [key, value, headers] = [reader.key(index), reader.value(index), reader.headers(index)];
      const bytes = [key, value, ...headers.map(([, data]) => data)].reduce(
        (sum, data) => sum + (data?.byteLength ?? 0),
        0,
      );
      const isFirst = this.runs.length === 0 && index === from;
      if (bytes > this.#left.bytes && !isFirst) {
        this.stopped = 'BYTES';
        break;
      }
      this.#left.bytes -= bytes;
      builder.add(key, value, reader.timestamp(index), headers);
    }
    const count = index - from;
    this.#left.records -= count;
    if (count > 0)
      this.runs.push({
        topic: this.#topic,
        queue,
        baseOffset: baseOffset + from,
        bytes: builder.build().bytes,
      });
    return count;
  }

  /** Records of a queue are as good as in order of time; where they are not, it is near. */
  async #firstSince({ queue, startOffset, endOffset }: QueueRange, timestamp: number): Promise<number> {
    let [low, high] = [startOffset, endOffset];
    while (low < high && this.#goesOn()) {
      const middle = Math.floor((low + high) / 2);
      const { batches } = await this.#read(queue, middle, 1, 1);
      const [first] = batches;
      if (first === undefined) return middle;
      const reader = BatchReader.open(first.batch.bytes);
      const index = Math.max(0, middle - first.baseOffset);
      if (index >= reader.count || reader.timestamp(index) >= timestamp) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #read(queue: number, offset: number, maxRecords: number, maxBytes: number): ReturnType<Log['read']> {
    return this.#log.read({
      topic: this.#topic,
      queue,
      offset,
      maxBytes,
      maxRecords,
      waitMs: 0,
      signal: this.#signal,
    });
  }
}
