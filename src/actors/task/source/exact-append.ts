import type { ProgressWord } from '../../../core/model.js';
import { AlreadyAppended, recordDigest } from '../../../core/progress/already-appended.js';
import type { QueueTail, Uncovered } from '../../../core/progress/progress-machine.js';
import { BatchBuilder, BatchReader } from '../../../log/batch.js';
import {
  LogError,
  NO_MARK,
  type Fence,
  type Log,
  type Permit,
  type QueueEntry,
  type QueueRange,
  type StoredBatch,
} from '../../../log/log.js';

export interface ExactAppendOptions {
  readonly log: Pick<Log, 'append' | 'read' | 'ranges'>;
  readonly fence: Fence;
  /** The mark of this unit: core/record-marks.ts. */
  readonly writer: number;
  /** As the former owner of the unit left it. */
  readonly uncovered: Uncovered;
  readonly positionEntry: (positions: readonly ProgressWord[], changed: Partial<Uncovered>) => QueueEntry;
  /** Rejects when this node may not write for the task any more: another may be doing it. */
  readonly whileLeased: <T>(work: (permit: Permit) => Promise<T>) => Promise<T>;
  readonly onFound: (records: number) => void;
  readonly warn: (message: string) => void;
}

/** Calls until it succeeds, or throws what cannot be helped by trying again. */
export type Repeat = <T>(call: () => Promise<T>) => Promise<T>;

/** Where own records may stand that no position covers; `next`: how far they were looked for. */
interface Tail {
  readonly topic: string;
  readonly queue: number;
  next: number;
}

/** Written down in one entry. Far more than an append of the default size. */
const MAX_LEFT = 20_000;
/** What a task may write to and still look through after a crash. */
const MAX_TAILS = 1000;
/** Of one queue, from its end backwards. */
const MAX_LOOK = 200_000;
const READ_BYTES = 1 << 20;
const READ_RECORDS = 10_000;
const READ_WAIT_MS = 1000;
/** Queues that this task seldom writes to fill up with what others write: then there is less to look through. */
const ADVANCE_MS = 60_000;

/**
 * Appends records, then the positions that they complete, to a log that cannot do both at once. What a crash or an
 * append of unknown outcome has left between the two is looked for before the next append, and not appended again.
 */
export class ExactAppend {
  readonly #options: ExactAppendOptions;
  readonly #tails = new Map<string, Tail>();
  readonly #present: AlreadyAppended;
  /** Whether all own records behind the tails are known. */
  #looked = false;
  /** Tails that are not where the position topic says. */
  readonly #moved = new Set<Tail>();
  #advanceAt = 0;
  #full = false;

  constructor(options: ExactAppendOptions) {
    this.#options = options;
    this.#present = new AlreadyAppended(options.uncovered.left);
    for (const { topic, queue, offset } of options.uncovered.tails) this.#add(topic, queue, offset);
  }

  async append(
    entries: readonly QueueEntry[],
    positions: readonly ProgressWord[],
    repeat: Repeat,
  ): Promise<void> {
    const { log, fence, positionEntry, whileLeased } = this.#options;
    let rest = entries;
    if (rest.length > 0) {
      await repeat(() => this.#register(entries));
      await repeat(async () => {
        rest = await this.#missing(rest);
        if (rest.length === 0) return;
        // The log does not refuse a process that was suspended, or cut off, and goes on.
        const offsets = await whileLeased((permit) => {
          this.#looked = false;
          return log.append({ entries: rest, fence, permit });
        });
        this.#looked = true;
        this.#appended(rest, offsets);
      });
      if (performance.now() >= this.#advanceAt) await repeat(() => this.#advance());
    }
    if (positions.length === 0) return;
    const entry = positionEntry(positions, this.#takeChanged());
    await repeat(() => log.append({ entries: [entry], fence }));
  }

  /** A queue must be known to the position topic before anything is written to it. */
  async #register(entries: readonly QueueEntry[]): Promise<void> {
    const { log, fence, positionEntry, warn } = this.#options;
    const unknown = entries.filter(({ topic, queue }) => !this.#tails.has(keyOf(topic, queue)));
    if (unknown.length === 0 || this.#full) return;
    const found: QueueTail[] = [];
    for (const topic of new Set(unknown.map((entry) => entry.topic)))
      for (const { queue, endOffset } of await log.ranges(topic))
        if (!this.#tails.has(keyOf(topic, queue))) found.push({ topic, queue, offset: endOffset });
    if (this.#tails.size + found.length > MAX_TAILS) {
      this.#full = true;
      warn(
        `this task writes to more than ${MAX_TAILS} queues: after a crash, records of its last append may stand twice in those beyond. Use fewer queues, or more tasks`,
      );
      return;
    }
    await log.append({ entries: [positionEntry([], { tails: found })], fence });
    for (const { topic, queue, offset } of found) this.#add(topic, queue, offset);
  }

  async #missing(entries: readonly QueueEntry[]): Promise<readonly QueueEntry[]> {
    if (!this.#looked) await this.#look();
    if (this.#present.size === 0) return entries;
    const before = this.#present.size;
    const rest = entries.map((entry) => without(entry, this.#present)).filter((entry) => entry !== null);
    this.#options.onFound(before - this.#present.size);
    return rest;
  }

  async #look(): Promise<void> {
    for (const [topic, tails] of this.#byTopic()) {
      const ranges = await this.#ranges(topic);
      for (const tail of tails) {
        const range = ranges.find(({ queue }) => queue === tail.queue);
        if (range !== undefined) await this.#lookIn(tail, range);
      }
    }
    this.#looked = true;
  }

  #byTopic(): ReadonlyMap<string, readonly Tail[]> {
    const topics = new Map<string, Tail[]>();
    for (const tail of this.#tails.values()) {
      const found = topics.get(tail.topic);
      if (found === undefined) topics.set(tail.topic, [tail]);
      else found.push(tail);
    }
    return topics;
  }

  /** A topic that was deleted has none, and nothing to be found in. */
  async #ranges(topic: string): Promise<readonly QueueRange[]> {
    try {
      return await this.#options.log.ranges(topic);
    } catch (error) {
      if (error instanceof LogError && error.code === 'LOG_UNKNOWN_TOPIC') return [];
      throw error;
    }
  }

  async #lookIn(tail: Tail, { startOffset, endOffset }: QueueRange): Promise<void> {
    const { log, writer, warn } = this.#options;
    const { topic, queue } = tail;
    // Beyond the end: the topic was made anew.
    const from = tail.next > endOffset ? startOffset : Math.max(tail.next, startOffset);
    if (endOffset - from > MAX_LOOK)
      warn(
        `queue ${queue} of ${topic} grew by ${endOffset - from} records since this task last wrote to it: only the newest ${MAX_LOOK} are looked through for its own, so some may be appended twice`,
      );
    this.#move(tail, Math.max(from, endOffset - MAX_LOOK));
    while (tail.next < endOffset) {
      const { batches, nextOffset } = await log.read({
        topic,
        queue,
        offset: tail.next,
        maxBytes: READ_BYTES,
        maxRecords: READ_RECORDS,
        waitMs: READ_WAIT_MS,
        markedBy: writer,
      });
      if (nextOffset <= tail.next)
        throw new LogError(
          'LOG_UNAVAILABLE',
          `queue ${queue} of ${topic} does not show what it holds. Try again`,
        );
      for (const batch of batches) this.#note(topic, tail.next, batch);
      this.#move(tail, nextOffset);
    }
  }

  #note(topic: string, from: number, { baseOffset, batch, marks = [] }: StoredBatch): void {
    const records = BatchReader.open(batch.bytes);
    for (let i = Math.max(0, from - baseOffset); i < records.count; i += 1) {
      const mark = marks[i] ?? NO_MARK;
      if (mark !== NO_MARK) this.#present.add(mark, recordDigest(topic, records.key(i), records.value(i)));
    }
  }

  /** Records between the parts of a large entry may be others': so it ends there at least. */
  #appended(entries: readonly QueueEntry[], offsets: readonly number[]): void {
    for (const [i, { topic, queue, batch }] of entries.entries()) {
      const tail = this.#tails.get(keyOf(topic, queue));
      if (tail !== undefined) this.#move(tail, (offsets[i] ?? 0) + batch.count);
    }
  }

  /** All of this task's own is known here: whatever else there is was written by others. */
  async #advance(): Promise<void> {
    for (const [topic, tails] of this.#byTopic()) {
      const ranges = await this.#ranges(topic);
      for (const tail of tails) {
        const end = ranges.find(({ queue }) => queue === tail.queue)?.endOffset ?? 0;
        if (end > tail.next) this.#move(tail, end);
      }
    }
    this.#advanceAt = performance.now() + ADVANCE_MS;
  }

  /** What stands before the tails and is still to be left out must be known after a crash, too. */
  #takeChanged(): Partial<Uncovered> {
    if (this.#present.size > MAX_LEFT) return {};
    const tails = [...this.#moved].map(({ topic, queue, next }) => ({ topic, queue, offset: next }));
    this.#moved.clear();
    const left = this.#present.takeChanged();
    return { ...(tails.length === 0 ? {} : { tails }), ...(left === null ? {} : { left }) };
  }

  #move(tail: Tail, next: number): void {
    if (tail.next === next) return;
    tail.next = next;
    this.#moved.add(tail);
  }

  #add(topic: string, queue: number, offset: number): void {
    this.#tails.set(keyOf(topic, queue), { topic, queue, next: offset });
  }
}

function keyOf(topic: string, queue: number): string {
  return `${queue} ${topic}`;
}

/** The entry without the records that are there already; null: there is nothing else in it. */
function without(entry: QueueEntry, present: AlreadyAppended): QueueEntry | null {
  const { topic, queue, batch, marks } = entry;
  if (marks === undefined) return entry;
  const records = BatchReader.open(batch.bytes);
  const builder = new BatchBuilder();
  const ids: number[] = [];
  for (let i = 0; i < records.count; i += 1) {
    const mark = marks.ids[i] ?? NO_MARK;
    const key = records.key(i);
    const value = records.value(i);
    if (mark !== NO_MARK && present.take(mark, recordDigest(topic, key, value))) continue;
    builder.add(key, value, records.timestamp(i), records.headers(i));
    ids.push(mark);
  }
  if (ids.length === records.count) return entry;
  if (ids.length === 0) return null;
  return { topic, queue, batch: builder.build(), marks: { writer: marks.writer, ids } };
}
