import type { ReplicaPort, ReplicaRead } from '#troupe/core/replica/replicated-state.js';
import {
  LogError,
  type AppendRequest,
  type GroupOffset,
  type Log,
  type ReadRequest,
  type ReadResult,
} from '#troupe/log/log.js';
import type { Queue } from './simulated-store.js';
import type { Thread } from './virtual-time.js';
import { CONFIG_TOPIC, type World } from './world.js';

/** One read answers with at most so many records, so that reading on is tried too. */
const READ_RECORDS = 40;
const TIMEOUT_MS = 400;

/** How a thread reaches the log: late, twice, not at all, or not as far as it knows. */
export class Connection {
  readonly #world: World;
  readonly #thread: Thread;

  constructor(world: World, thread: Thread) {
    this.#world = world;
    this.#thread = thread;
  }

  /** A topic with one queue, for a replicated state. */
  port(topic: string): ReplicaPort {
    const { store } = this.#world;
    const queue = store.queue(topic, 0);
    return {
      append: (values) => this.#append([() => store.append(topic, 0, values)]).then(first),
      read: (from, waitMs, signal) => {
        const late = topic === CONFIG_TOPIC ? () => this.#configsLateMs : () => 0;
        return this.#whenThereIs(queue, from, waitMs, signal, () => replicaRead(queue, from), late);
      },
      trim: (offset) =>
        this.#once(() => {
          queue.trim(offset);
        }),
    };
  }

  log(): Log {
    const { store } = this.#world;
    const topicOf = (name: string) => {
      const queues = store.queues(name).length;
      return queues === 0 ? null : { name, queues, retentionMs: null, retentionBytes: null, id: null };
    };
    const unused = (): never => {
      throw new Error('the simulated log does not do this');
    };
    return {
      capabilities: store.capabilities,
      createTopic: unused,
      describeTopic: (name) => this.#once(() => topicOf(name)),
      listTopics: unused,
      deleteTopic: unused,
      append: (request) => this.#appendBatches(request),
      read: (request) => this.#readBatches(request),
      ranges: (topic) => this.#once(() => store.ranges(topic)),
      trim: unused,
      fence: (fence) => this.#append([() => (store.fence(fence), 0)]).then(() => undefined),
      subscribe: () => this.#once(() => undefined),
      commitOffsets: () => this.#once(() => undefined),
      committedOffsets: () => this.#once((): readonly GroupOffset[] => []),
      listGroups: unused,
      deleteGroup: unused,
      close: () => Promise.resolve(),
    };
  }

  #appendBatches({ entries, fence }: AppendRequest): Promise<readonly number[]> {
    const { store, coverage } = this.#world;
    const parts = entries.map((entry) => () => store.appendBatch(entry));
    const checked = (write: () => number): number => {
      try {
        store.check(fence);
      } catch (error) {
        coverage.saw('append refused by a fence of the log');
        throw error;
      }
      return write();
    };
    if (!store.capabilities.atomicAppend) return this.#append(parts.map((part) => () => checked(part)));
    const offsets: number[] = [];
    return this.#append([
      () =>
        checked(() => {
          offsets.length = 0;
          for (const part of parts) offsets.push(part());
          return 0;
        }),
    ]).then(() => offsets);
  }

  #readBatches({ topic, queue, offset, waitMs, signal }: ReadRequest): Promise<ReadResult> {
    const from = this.#world.store.queue(topic, queue);
    return this.#whenThereIs(from, offset, waitMs, signal, () => {
      const batches = from.batches
        .filter(({ baseOffset, batch }) => baseOffset + batch.count > offset)
        .slice(0, 3);
      const last = batches.at(-1);
      const nextOffset = last === undefined ? offset : last.baseOffset + last.batch.count;
      return { batches, nextOffset, startOffset: 0, endOffset: from.endOffset };
    });
  }

  /** Waits as long as it takes: nobody depends on an answer without records. */
  #whenThereIs<T>(
    queue: Queue,
    from: number,
    waitMs: number,
    signal: AbortSignal | undefined,
    answer: () => T,
    lateMs: () => number = () => 0,
  ): Promise<T> {
    const { time } = this.#world;
    return new Promise((resolve, reject) => {
      const attempt = (): void => {
        if (signal?.aborted === true) reject(new Error('nobody waits any more'));
        else if (this.#cutOffMs > 0) soon();
        else if (lateMs() > 0) time.after(lateMs(), attempt, this.#thread);
        else if (waitMs === 0 || queue.endOffset > from) resolve(answer());
        else queue.onMore(soon);
      };
      const soon = (): void => {
        time.after(this.#arrivalMs(), attempt, this.#thread);
      };
      if (waitMs === 0 || queue.endOffset > from || this.#cutOffMs > 0) soon();
      else queue.onMore(soon);
    });
  }

  get #configsLateMs(): number {
    return Math.max(0, this.#thread.process.configsLateUntil - this.#world.time.now);
  }

  get #cutOffMs(): number {
    return Math.max(0, this.#thread.process.cutOffUntil - this.#world.time.now);
  }

  /** Until a message arrives that goes as soon as the log can be reached. */
  #arrivalMs(times = 1): number {
    const cutOffMs = this.#cutOffMs;
    return cutOffMs + this.#world.network.latency(times, cutOffMs);
  }

  /** Something that may be done again: it is, until it is answered. */
  #once<T>(action: () => T): Promise<T> {
    const { time } = this.#world;
    return new Promise((resolve) => {
      time.after(
        this.#arrivalMs(2),
        () => {
          resolve(action());
        },
        this.#thread,
      );
    });
  }

  /** Writes that follow each other; all of them succeed, or the sender hears that it does not know. */
  #append(writes: readonly (() => number)[]): Promise<readonly number[]> {
    const { time, network, coverage } = this.#world;
    const fate = network.fate(this.#cutOffMs > 0);
    return new Promise((resolve, reject) => {
      const answer = (ms: number, settle: () => void): void => {
        time.after(this.#cutOffMs + ms, settle, this.#thread);
      };
      const unknown = (): void => {
        answer(TIMEOUT_MS, () => {
          reject(new LogError('LOG_UNAVAILABLE', 'the log does not answer: what was appended is unknown'));
        });
      };
      const offsets: number[] = [];
      const write = (index: number): void => {
        const next = writes[index];
        if (next === undefined) {
          if (fate === 'answer lost') {
            coverage.saw('append of unknown outcome that was done');
            return unknown();
          }
          return answer(network.latency(1, this.#cutOffMs), () => {
            resolve(offsets);
          });
        }
        if (fate === 'torn' && index > 0) {
          coverage.saw('append torn between records and position');
          return unknown();
        }
        try {
          offsets.push(next());
        } catch (error) {
          return answer(network.latency(1, this.#cutOffMs), () => {
            reject(error instanceof Error ? error : new Error(String(error)));
          });
        }
        if (index + 1 < writes.length) time.after(1 + network.random.next(30), () => write(index + 1), null);
        else write(index + 1);
      };
      const again = (): void => {
        network.arriveLate(() => {
          for (const each of writes) refusedIsFine(each);
        });
      };
      time.after(
        this.#arrivalMs(),
        () => {
          if (fate === 'lost' || fate === 'late') unknown();
          else write(0);
          if (fate === 'lost') coverage.saw('append lost');
          if (fate === 'late') coverage.saw('append done late');
          if (fate === 'repeated') coverage.saw('append repeated');
          if (fate === 'late' || fate === 'repeated') again();
        },
        null,
      );
    });
  }
}

function first([offset]: readonly number[]): number {
  return offset ?? 0;
}

function refusedIsFine(write: () => unknown): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
  }
}

function replicaRead(queue: Queue, from: number): ReplicaRead {
  const start = Math.max(from, queue.startOffset);
  const records = queue.history.slice(start, start + READ_RECORDS);
  const { startOffset, endOffset } = queue;
  return { records, nextOffset: start + records.length, startOffset, endOffset };
}
