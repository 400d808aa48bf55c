/** Runs one task of a sink connector without the runtime: queues in memory, delivery, flushes, committed offsets. */
import { parseConfigOrThrow } from '../config-parse.js';
import { DataError, RetriableError } from '../errors.js';
import type {
  FileAccess,
  QueueOffset,
  QueueRef,
  RawConfig,
  SinkConnector,
  SinkTask,
  SinkTaskContext,
} from '../plugin.js';
import type { JsonValue, RecordTransaction, SinkRecord } from '../record.js';
import type { Schema } from '../schema.js';
import { ANY_FILE } from './any-file.js';
import { PluginCalls } from './plugin-calls.js';
import { QueuesInMemory, refsOf, type AppendedRecord, type QueueInMemory } from './queues-in-memory.js';
import { RecordedMetrics } from './recorded-metrics.js';
import { RecordingLogger } from './recording-logger.js';
import { planTasks, release, signalTask, STOP_DEADLINE_MS, type RunningTask } from './running-tasks.js';
import { SaidInStatus } from './said-in-status.js';
import { SecretWatch } from './secret-watch.js';

export interface ReportedRecord {
  readonly record: SinkRecord;
  readonly error: Error;
}

export interface SinkHarnessOptions {
  readonly queues?: readonly QueueRef[];
  readonly connectorName?: string;
  /** How long one call of the plugin may take, in milliseconds. Default 10,000. */
  readonly deadlineMs?: number;
  /** How long a call under way, and `stop`, may take once the signal is aborted, in milliseconds. Default 3,000. */
  readonly stopDeadlineMs?: number;
  /** What transforms make of the topic of a record. Default: nothing. */
  readonly renamed?: (topic: string) => string;
  /** Which files the plugin may open. Default: all. */
  readonly files?: FileAccess;
}

/** All queues belong to one task, whatever `tasks.max` would make of them. */
export class SinkHarness {
  readonly log = new RecordingLogger();
  /** What the task has told for its status. */
  readonly said = new SaidInStatus();
  /** What the task has counted, over all its starts. */
  readonly metrics = new RecordedMetrics();
  /** What was seen of passwords: in errors so far; show it the lines of the log as well. */
  readonly secrets: SecretWatch;
  /** Records the task reported as impossible to write. */
  readonly reported: ReportedRecord[] = [];
  /** Every offset the task asked to go on from, in the order asked. */
  readonly seeks: QueueOffset[] = [];
  commitRequests = 0;
  readonly #connector: SinkConnector;
  readonly #raw: RawConfig;
  readonly #name: string;
  readonly #deadlineMs: number;
  readonly #stopDeadlineMs: number;
  readonly #calls: PluginCalls;
  readonly #files: FileAccess;
  readonly #queues: QueuesInMemory;
  #signals = 0;
  #running: RunningTask<SinkTask> | null = null;
  readonly #abandoned: RunningTask<SinkTask>[] = [];

  constructor(connector: SinkConnector, raw: RawConfig, options: SinkHarnessOptions = {}) {
    this.#connector = connector;
    this.#raw = raw;
    this.#name = options.connectorName ?? 'sink-under-test';
    this.#deadlineMs = options.deadlineMs ?? 10_000;
    this.#stopDeadlineMs = options.stopDeadlineMs ?? STOP_DEADLINE_MS;
    this.secrets = new SecretWatch(connector.config, raw);
    this.#calls = new PluginCalls(this.#deadlineMs, this.secrets);
    this.#files = options.files ?? ANY_FILE;
    this.#queues = new QueuesInMemory(options.renamed ?? ((topic) => topic));
    for (const queue of options.queues ?? [{ topic: 'topic', queue: 0 }]) this.#queues.add(queue);
  }

  get committed(): readonly QueueOffset[] {
    return this.#queues.all.map(({ topic, queue, committed }) => ({ topic, queue, offset: committed }));
  }

  get counted(): readonly RecordedMetrics[] {
    return [this.metrics];
  }

  get running(): boolean {
    return this.#running !== null;
  }

  /**
   * Puts values at the end of a queue; they are delivered later. A null without a schema is a tombstone. `transactions`: of each
   * value, as their source has marked them.
   */
  append(
    queueIndex: number,
    values: readonly unknown[],
    valueSchema: Schema | null = null,
    key: string | null = null,
    transactions: readonly (RecordTransaction | null)[] = [],
  ): void {
    const records = values.map((value, i) => ({
      value,
      valueSchema,
      key,
      transaction: transactions[i] ?? null,
    }));
    this.appendRecords(queueIndex, records);
  }

  /** The same of records that have more than a value, such as keys with a schema. */
  appendRecords(queueIndex: number, records: readonly AppendedRecord[]): void {
    this.#queues.append(queueIndex, records);
  }

  /** As when the topics were deleted and made anew, or the whole log was, while no task ran: nothing is in them, nothing is committed. */
  renewTopics(): void {
    for (const topic of new Set(this.#queues.all.map((queue) => queue.topic))) this.#queues.renew(topic);
  }

  /** A topic grows by a queue, or begins to be read. A running task is told, or, where it has no `open`, started anew. */
  async addQueue(ref: QueueRef): Promise<void> {
    await this.#change([], () => [this.#queues.add(ref)]);
  }

  /** A topic is deleted and made anew: nothing is in it, nothing is committed. As `addQueue`, after the `close` of what it was. */
  async remakeTopic(topic: string): Promise<void> {
    await this.#change(this.#queues.of(topic), () => this.#queues.renew(topic));
  }

  /** Its queues go; those that are left are counted from 0 as before. */
  async deleteTopic(topic: string): Promise<void> {
    await this.#change(this.#queues.of(topic), () => {
      this.#queues.remove(topic);
      return [];
    });
  }

  /** A call that fails may be made again: nothing has changed yet but what is committed, or all but `open`. */
  async #change(leaving: readonly QueueInMemory[], apply: () => readonly QueueInMemory[]): Promise<void> {
    const task = this.#running?.task;
    if (task === undefined) {
      apply();
      return;
    }
    if (task.open === undefined) {
      await this.stop();
      apply();
      await this.start();
      return;
    }
    if (leaving.length > 0) {
      this.commit(await this.flush());
      await this.#calls.run('close()', () => task.close?.(refsOf(leaving)));
    }
    await this.#open(task, apply());
  }

  async #open(task: SinkTask, queues: readonly QueueInMemory[]): Promise<void> {
    if (queues.length > 0) await this.#calls.run('open()', () => task.open?.(refsOf(queues)));
  }

  /** A new task, which gets what follows the committed offsets, or what it seeks. */
  async start(): Promise<void> {
    for (const queue of this.#queues.all) {
      queue.next = queue.committed;
      queue.paused = false;
    }
    const planning = { connectorName: this.#name, log: this.log };
    const [raw] = await this.#calls.run('taskConfigs()', () =>
      planTasks(this.#connector, this.#raw, 1, planning),
    );
    if (raw === undefined) throw new Error('taskConfigs() planned no task');
    const running = { task: this.#connector.createTask(), stop: new AbortController() };
    this.#running = running;
    const parsed = parseConfigOrThrow(this.#connector.config, raw);
    const context = this.#context(running.stop.signal);
    await this.#calls.run('start()', () => running.task.start(context, parsed, raw));
    await this.#open(running.task, this.#queues.all);
  }

  /**
   * Puts at most `max` records of each queue, and answers how many these were. When put throws, the same records
   * come again in the next call.
   */
  async deliver(max = Infinity): Promise<number> {
    let delivered = 0;
    for (const queue of this.#queues.all) {
      if (queue.paused) continue;
      const { next: from, seeks } = queue;
      const records = queue.records.slice(from, from + Math.min(max, queue.records.length));
      if (records.length === 0) continue;
      await this.#put(records);
      // A seek inside put says where to go on.
      if (queue.seeks === seeks) queue.next = from + records.length;
      delivered += records.length;
    }
    return delivered;
  }

  /** `deliver`, where bad records are tolerated: after a DataError they come one by one, and those refused are skipped. */
  async deliverTolerating(max = Infinity): Promise<number> {
    try {
      return await this.deliver(max);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
    let delivered = 0;
    for (const queue of this.#queues.all) {
      if (queue.paused) continue;
      for (const record of queue.records.slice(
        queue.next,
        queue.next + Math.min(max, queue.records.length),
      )) {
        if (record.originalOffset < queue.next) continue;
        await this.#putOne(queue, record);
        delivered += 1;
      }
    }
    return delivered;
  }

  async #put(records: readonly SinkRecord[]): Promise<void> {
    // A seek backwards is durable before the next put.
    for (const queue of this.#queues.all) queue.committed = Math.min(queue.committed, queue.next);
    await this.#calls.run('put()', () => this.#task().put(records));
  }

  async #putOne(queue: QueueInMemory, record: SinkRecord): Promise<void> {
    const { seeks } = queue;
    try {
      await this.#put([record]);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
    if (queue.seeks === seeks) queue.next = record.originalOffset + 1;
  }

  /** `deliver`, called again for as long as the task throws RetriableError. */
  async deliverRetrying(max = Infinity): Promise<number> {
    const giveUpAt = performance.now() + this.#deadlineMs;
    for (;;) {
      try {
        return await this.deliver(max);
      } catch (error) {
        if (!(error instanceof RetriableError) || performance.now() > giveUpAt) throw error;
      }
    }
  }

  /** Flushes. What it returns may be given to `commit`. */
  async flush(): Promise<readonly QueueOffset[]> {
    const flushed = this.#queues.all.map(({ topic, queue, next }) => ({ topic, queue, offset: next }));
    const task = this.#task();
    await this.#calls.run('flush()', () => task.flush());
    if (task.preCommit === undefined) return flushed;
    return this.#calls.run('preCommit()', () => task.preCommit?.(flushed) ?? flushed);
  }

  /** Whether it would give up its thread, with nothing to do. */
  async mayPassivate(): Promise<boolean> {
    const task = this.#task();
    const may: unknown = await this.#calls.run('mayPassivate()', () => task.mayPassivate?.() ?? true);
    if (typeof may !== 'boolean') throw new TypeError(`mayPassivate() is to answer true or false`);
    return may;
  }

  /** A user's signal: what the task answers; nothing where it takes none. Its id is another each time, unless it is given. */
  async signal(
    type: string,
    data: JsonValue = null,
    id = `signal-${(this.#signals += 1)}`,
  ): Promise<JsonValue[]> {
    return signalTask(this.#calls, this.#task(), { id, type, data });
  }

  commit(offsets: readonly QueueOffset[]): void {
    for (const { topic, queue, offset } of offsets) {
      const found = this.#queues.find({ topic, queue });
      if (found === undefined) throw new Error(`committed ${topic}/${queue}, which is not assigned`);
      found.committed = Math.max(found.committed, offset);
    }
  }

  /**
   * The ordinary end: a last flush, a commit, stop. A call under way ends first; how it ends does not matter, the signal
   * was its reason.
   */
  async stop(underWay?: Promise<unknown>): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    running.stop.abort();
    const ms = this.#stopDeadlineMs;
    const ended = underWay?.catch(() => undefined);
    await this.#calls.run('a call after the stop signal', () => ended, ms);
    this.commit(await this.flush());
    const left = refsOf(this.#queues.all);
    if (left.length > 0) await this.#calls.run('close()', () => running.task.close?.(left), ms);
    this.#running = null;
    await this.#calls.run('stop()', () => running.task.stop(), ms);
  }

  /** As when the process dies: the task is not told. `dispose` stops it in the end. */
  kill(): void {
    if (this.#running !== null) this.#abandoned.push(this.#running);
    this.#running = null;
  }

  async dispose(): Promise<void> {
    this.kill();
    await release(this.#abandoned.splice(0), this.#calls, this.#stopDeadlineMs);
  }

  #task(): SinkTask {
    if (this.#running === null) throw new Error('the task is not running: call start() first');
    return this.#running.task;
  }

  #context(signal: AbortSignal): SinkTaskContext {
    const queues = this.#queues;
    const setPaused = (refs: readonly QueueRef[], paused: boolean): void => {
      for (const queue of refs.map((ref) => queues.find(ref))) if (queue !== undefined) queue.paused = paused;
    };
    return {
      connectorName: this.#name,
      taskId: 0,
      log: this.log,
      signal,
      files: this.#files,
      ...this.said.context,
      metrics: this.metrics.begin(),
      get assignment() {
        return refsOf(queues.all);
      },
      topicId: (topic) => queues.topicId(topic),
      seek: (offsets) => {
        for (const item of offsets) {
          queues.seek(item);
          this.seeks.push(item);
        }
      },
      pause: (queues) => {
        setPaused(queues, true);
      },
      resume: (queues) => {
        setPaused(queues, false);
      },
      requestCommit: () => {
        this.commitRequests += 1;
      },
      report: async (record, error) => {
        this.secrets.see('a reported error', error);
        this.reported.push({ record, error });
      },
    };
  }
}
