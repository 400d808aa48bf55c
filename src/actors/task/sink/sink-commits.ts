/** What of the delivered records a sink has made durable, and where it asked to go on instead. */
import type { QueueOffset, SinkTask } from '../../../sdk/plugin.js';
import { asRetriable } from '../../../sdk/errors.js';
import { isNotNow } from '../../../log/log.js';
import type { ActorLogger } from '../../kernel/protocol.js';
import type { Gate } from '../gate.js';
import type { PluginCalls } from '../plugin-calls.js';
import type { RecordErrors } from '../record-errors.js';
import type { SinkCounters } from '../task-counters.js';
import type { SinkLetters } from '../dead-letters/sink-letters.js';
import type { SinkOffsets } from './sink-offsets.js';
import { queueKey, type SinkQueue } from './sink-queue.js';

export interface SinkCommitsParts {
  readonly task: SinkTask;
  readonly calls: PluginCalls;
  readonly gate: Gate;
  readonly errors: RecordErrors;
  readonly flushIntervalMs: number;
  readonly offsets: Pick<SinkOffsets, 'commit' | 'rewind'>;
  readonly log: Pick<ActorLogger, 'warn'>;
  readonly counters: SinkCounters;
  /** Of the bad records that the next commit passes. Null: there is no dead-letter queue. */
  readonly letters?: Pick<SinkLetters, 'waiting' | 'pass'> | null;
}

/** flush → preCommit → commit, and seeks. Bounded by the number of queues. */
export class SinkCommits {
  readonly #parts: SinkCommitsParts;
  readonly #queueOf: (key: string) => SinkQueue | undefined;
  /** Offset after the last record put, of the queues that moved since the last commit. */
  readonly #moved = new Map<string, QueueOffset>();
  /** Where the sink wants to read, of queues that nothing was delivered of since it said so. */
  readonly #sought = new Map<string, QueueOffset>();
  #nextFlushAt: number;
  #requested = false;

  /** `queueOf`: those that the task reads, by `queueKey`. */
  constructor(parts: SinkCommitsParts, queueOf: (key: string) => SinkQueue | undefined) {
    this.#parts = parts;
    this.#queueOf = queueOf;
    this.#nextFlushAt = performance.now() + parts.flushIntervalMs;
  }

  /** Soon instead of at the interval. */
  request(): void {
    this.#requested = true;
  }

  /** What lies before its position was put. */
  moved(queue: SinkQueue): void {
    this.#moved.set(queueKey(queue), {
      topic: queue.topic,
      queue: queue.queue,
      offset: queue.position,
    });
  }

  seek(item: QueueOffset): void {
    const key = queueKey(item);
    const queue = this.#queueOf(key);
    if (queue === undefined) {
      this.#ignore('seek', item, 'the task does not read this queue');
      return;
    }
    this.#moved.delete(key);
    this.#sought.set(key, item);
    queue.seek(item.offset);
  }

  /** Where the sink asked to go on, as far as it was not delivered from there yet. */
  get sought(): readonly QueueOffset[] {
    return [...this.#sought.values()];
  }

  /** Nothing may be delivered of the queue before `rewind` has made durable where. */
  isSought(queue: SinkQueue): boolean {
    return this.#sought.has(queueKey(queue));
  }

  /**
   * A seek backwards is durable before anything is delivered from there: a start that went on where the sink was before
   * would skip what the sink had asked for.
   */
  async rewind(): Promise<void> {
    const { offsets, errors, gate } = this.#parts;
    if (this.#sought.size === 0 || !gate.leased) return;
    const sought = [...this.#sought];
    try {
      await offsets.rewind(sought.map(([, to]) => to));
    } catch (error) {
      if (!isNotNow(error)) throw error;
      errors.retriedLater('commit', error);
      return;
    }
    errors.recovered('commit');
    for (const [key, to] of sought) if (this.#sought.get(key) === to) this.#sought.delete(key);
  }

  /** Everything put is committed, and nothing sought. */
  get isSettled(): boolean {
    return this.#moved.size === 0 && this.#sought.size === 0 && this.#parts.letters?.waiting !== true;
  }

  /** Because its time has come, and there is something to flush. */
  get isDue(): boolean {
    return this.untilDueMs <= 0;
  }

  /** Or because it was asked for. */
  get isWanted(): boolean {
    return this.#requested || this.isDue;
  }

  /** Infinity: there is nothing to flush. */
  get untilDueMs(): number {
    return this.#moved.size > 0 ? this.#nextFlushAt - performance.now() : Infinity;
  }

  /** These are not the task's any more. */
  forget(queues: readonly SinkQueue[]): void {
    for (const queue of queues) {
      this.#moved.delete(queueKey(queue));
      this.#sought.delete(queueKey(queue));
    }
  }

  /** False: it did not pass, and is tried again. */
  async flush(): Promise<boolean> {
    const { task, calls, errors, gate, counters } = this.#parts;
    this.#requested = false;
    this.#nextFlushAt = performance.now() + this.#parts.flushIntervalMs;
    if (!gate.leased) return false;
    if (this.#moved.size === 0 && this.#parts.letters?.waiting !== true) return true;
    const flushed = [...this.#moved.values()];
    const since = performance.now();
    try {
      await calls.run('flush', () => task.flush());
      counters.flushed(since);
    } catch (error) {
      // Nothing is lost by waiting for the next round: the offsets stay where they are.
      const retriable = asRetriable(error);
      if (retriable === null) throw error;
      errors.retriedLater('flush', retriable);
      return false;
    }
    errors.recovered('flush');
    const answered = await calls.run('preCommit', () => task.preCommit?.(flushed) ?? flushed);
    // What the sink has gone back on in the meantime is not done any more.
    const safe = this.#trusted(flushed, answered).filter((item) => !this.#sought.has(queueKey(item)));
    try {
      await this.#commit(safe);
      if (safe.length > 0) counters.committed();
    } catch (error) {
      // The log is waited for. Whether it has these offsets makes no difference: greater ones follow.
      if (!isNotNow(error)) throw error;
      errors.retriedLater('commit', error);
      return false;
    }
    for (const { topic, queue, offset } of flushed) {
      const key = queueKey({ topic, queue });
      const agreed = safe.find((item) => item.topic === topic && item.queue === queue);
      if (agreed !== undefined && agreed.offset >= offset && this.#moved.get(key)?.offset === offset)
        this.#moved.delete(key);
    }
    return true;
  }

  /** Dead letters are durable before what passes them, or with it. */
  async #commit(items: readonly QueueOffset[]): Promise<void> {
    const { offsets, letters = null } = this.#parts;
    if (letters?.waiting === true) await letters.pass((entries) => offsets.commit(items, entries));
    else if (items.length > 0) await offsets.commit(items);
  }

  /** As Kafka Connect does, what no sink can know is left out: an offset that it was not asked for, or a queue of another task. */
  #trusted(flushed: readonly QueueOffset[], answered: readonly QueueOffset[]): readonly QueueOffset[] {
    const asked = new Map(flushed.map((item) => [queueKey(item), item]));
    const trusted: QueueOffset[] = [];
    for (const { topic, queue, offset } of answered) {
      const item = { topic, queue, offset };
      const most = asked.get(queueKey(item))?.offset ?? this.#queueOf(queueKey(item))?.position;
      if (most === undefined) this.#ignore('preCommit', item, 'the task does not read this queue');
      else if (!Number.isSafeInteger(offset) || offset < 0)
        this.#ignore('preCommit', item, 'it is not an offset');
      else if (offset > most)
        this.#ignore('preCommit', item, `the sink was given records up to ${most} only`);
      else if (asked.has(queueKey(item))) trusted.push(item);
    }
    return trusted;
  }

  #ignore(call: string, item: QueueOffset, cause: string): void {
    this.#parts.log.warn(
      { call, ...item, cause, code: 'SINK_BAD_OFFSET' },
      'an offset of the plugin is ignored',
    );
  }
}
