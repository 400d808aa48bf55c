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
import { NO_HEADERS, type SinkRecord } from '../record.js';
import type { Schema } from '../schema.js';
import { ANY_FILE } from './any-file.js';
import { PluginCalls } from './plugin-calls.js';
import { RecordingLogger } from './recording-logger.js';
import { planTasks, release, STOP_DEADLINE_MS, type RunningTask } from './running-tasks.js';
import { SaidInStatus } from './said-in-status.js';
import { SecretWatch } from './secret-watch.js';

interface Queue extends QueueRef {
  readonly records: SinkRecord[];
  /** Next to deliver. */
  next: number;
  committed: number;
  paused: boolean;
  seeks: number;
}

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
  /** What the status would say now: messages by code. */
  /** What the task has told for its status. */
  readonly said = new SaidInStatus();
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
  readonly #renamed: (topic: string) => string;
  #life = 1;
  readonly #queues: readonly Queue[];
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
    this.#renamed = options.renamed ?? ((topic) => topic);
    const queues = options.queues ?? [{ topic: 'topic', queue: 0 }];
    this.#queues = queues.map(({ topic, queue }) => ({
      topic,
      queue,
      records: [],
      next: 0,
      committed: 0,
      paused: false,
      seeks: 0,
    }));
  }

  get committed(): readonly QueueOffset[] {
    return this.#queues.map(({ topic, queue, committed }) => ({ topic, queue, offset: committed }));
  }

  get running(): boolean {
    return this.#running !== null;
  }

  /** Puts values at the end of a queue; they are delivered later. */
  append(
    queueIndex: number,
    values: readonly unknown[],
    valueSchema: Schema | null = null,
    key: string | null = null,
  ): void {
    const queue = this.#queues[queueIndex];
    if (queue === undefined) throw new RangeError(`there is no queue ${queueIndex}`);
    for (const value of values) {
      queue.records.push({
        topic: this.#renamed(queue.topic),
        queue: queue.queue,
        offset: queue.records.length,
        keySchema: null,
        key,
        valueSchema,
        value,
        timestamp: 1_700_000_000_000 + queue.records.length,
        headers: NO_HEADERS,
        originalTopic: queue.topic,
        originalQueue: queue.queue,
        originalOffset: queue.records.length,
      });
    }
  }

  /** As when the topics were deleted and made anew, or the whole log was: nothing is in them, nothing is committed. */
  renewTopics(): void {
    this.#life += 1;
    for (const queue of this.#queues) {
      queue.records.length = 0;
      queue.next = 0;
      queue.committed = 0;
    }
  }

  /** A new task, which gets what follows the committed offsets, or what it seeks. */
  async start(): Promise<void> {
    for (const queue of this.#queues) {
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
  }

  /**
   * Puts at most `max` records of each queue, and answers how many these were. When put throws, the same records
   * come again in the next call.
   */
  async deliver(max = Infinity): Promise<number> {
    let delivered = 0;
    for (const queue of this.#queues) {
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
    for (const queue of this.#queues) {
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
    for (const queue of this.#queues) queue.committed = Math.min(queue.committed, queue.next);
    await this.#calls.run('put()', () => this.#task().put(records));
  }

  async #putOne(queue: Queue, record: SinkRecord): Promise<void> {
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
    const flushed = this.#queues.map(({ topic, queue, next }) => ({ topic, queue, offset: next }));
    const task = this.#task();
    await this.#calls.run('flush()', () => task.flush());
    if (task.preCommit === undefined) return flushed;
    return this.#calls.run('preCommit()', () => task.preCommit?.(flushed) ?? flushed);
  }

  commit(offsets: readonly QueueOffset[]): void {
    for (const { topic, queue, offset } of offsets) {
      const found = this.#find({ topic, queue });
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

  #find(ref: QueueRef): Queue | undefined {
    return this.#queues.find(({ topic, queue }) => topic === ref.topic && queue === ref.queue);
  }

  #context(signal: AbortSignal): SinkTaskContext {
    const setPaused = (queues: readonly QueueRef[], paused: boolean): void => {
      for (const queue of queues.map((ref) => this.#find(ref)))
        if (queue !== undefined) queue.paused = paused;
    };
    return {
      connectorName: this.#name,
      taskId: 0,
      log: this.log,
      signal,
      files: this.#files,
      ...this.said.context,
      assignment: this.#queues.map(({ topic, queue }) => ({ topic, queue })),
      topicId: (topic) => `${topic}#${this.#life}`,
      seek: (offsets) => {
        this.#seek(offsets);
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

  #seek(offsets: readonly QueueOffset[]): void {
    for (const item of offsets) {
      const queue = this.#find(item);
      if (queue === undefined) throw new Error(`seek to ${item.topic}/${item.queue}, which is not assigned`);
      if (!Number.isInteger(item.offset) || item.offset < 0 || item.offset > queue.records.length) {
        throw new Error(
          `seek to offset ${item.offset} of ${item.topic}/${item.queue}, which ends at ${queue.records.length}`,
        );
      }
      this.seeks.push(item);
      queue.seeks += 1;
      queue.next = item.offset;
    }
  }
}
