/** Runs a source connector without the runtime: plans it, starts its tasks, polls them, keeps their positions. */
import { parseConfigOrThrow } from '../config-parse.js';
import { RetriableError } from '../errors.js';
import type {
  CommittedRecord,
  FileAccess,
  PositionChange,
  RawConfig,
  SourceConnector,
  SourceTask,
  SourceTaskContext,
} from '../plugin.js';
import type { JsonObject, JsonValue, SourceRecord } from '../record.js';
import { partitionMatches } from '../partitions.js';
import { ANY_FILE } from './any-file.js';
import { PluginCalls } from './plugin-calls.js';
import { RecordedMetrics } from './recorded-metrics.js';
import { RecordingLogger } from './recording-logger.js';
import { planTasks, release, signalTask, STOP_DEADLINE_MS, type RunningTask } from './running-tasks.js';
import { SaidInStatus } from './said-in-status.js';
import { SecretWatch } from './secret-watch.js';
import { valueText } from './value-text.js';
import { WholeTransactions } from './whole-transactions.js';

export interface HarnessOptions {
  /** Default 1. */
  readonly maxTasks?: number;
  readonly connectorName?: string;
  /** How long one call of the plugin, or waiting for records, may take, in milliseconds. Default 10,000. */
  readonly deadlineMs?: number;
  /** How long a call under way, and `stop`, may take once the signal is aborted, in milliseconds. Default 3,000. */
  readonly stopDeadlineMs?: number;
  /** Which files the plugin may open. Default: all. */
  readonly files?: FileAccess;
}

interface Position {
  readonly partition: JsonObject;
  readonly position: JsonObject;
}

/**
 * Positions are kept as JSON text, as the runtime does, so what does not survive that fails here. They are what
 * `accept` made durable, and those said by `beginAt`, without those said by `retire`: records that were polled but not accepted, or
 * belong to a transaction that has not ended, are lost in a stop, as in a crash before an append.
 */
export class SourceHarness {
  readonly log = new RecordingLogger();
  /** What the task has told for its status. */
  readonly said = new SaidInStatus();
  /** What was seen of passwords: in errors so far; show it the lines of the log as well. */
  readonly secrets: SecretWatch;
  readonly #connector: SourceConnector;
  readonly #raw: RawConfig;
  readonly #name: string;
  readonly #maxTasks: number;
  readonly #deadlineMs: number;
  readonly #stopDeadlineMs: number;
  readonly #calls: PluginCalls;
  readonly #polledBy = new WeakMap<SourceRecord, SourceTask>();
  /** Of the topics' queues 0. */
  readonly #ends = new Map<string, number>();
  readonly #files: FileAccess;
  readonly #durable = new Map<string, string>();
  #signals = 0;
  readonly #rests: (number | null)[] = [];
  readonly #transactions = new WholeTransactions();
  #tasks: RunningTask<SourceTask>[] = [];
  readonly #abandoned: RunningTask<SourceTask>[] = [];
  readonly #metrics = new Map<number, RecordedMetrics>();

  constructor(connector: SourceConnector, raw: RawConfig, options: HarnessOptions = {}) {
    this.#connector = connector;
    this.#raw = raw;
    this.#name = options.connectorName ?? 'source-under-test';
    this.#maxTasks = options.maxTasks ?? 1;
    this.#deadlineMs = options.deadlineMs ?? 10_000;
    this.#stopDeadlineMs = options.stopDeadlineMs ?? STOP_DEADLINE_MS;
    this.secrets = new SecretWatch(connector.config, raw);
    this.#calls = new PluginCalls(this.#deadlineMs, this.secrets);
    this.#files = options.files ?? ANY_FILE;
  }

  /** Transactions of which records were accepted, and not their end. */
  get openTransactions(): readonly string[] {
    return this.#transactions.waiting;
  }

  get taskCount(): number {
    return this.#tasks.length;
  }

  /** What the task has counted, over all its starts. */
  metricsOf(taskId: number): RecordedMetrics {
    const known = this.#metrics.get(taskId) ?? new RecordedMetrics();
    this.#metrics.set(taskId, known);
    return known;
  }

  /** What its tasks have said by `rest`, in order; milliseconds since 1970. Their polls are called all the same. */
  get rests(): readonly (number | null)[] {
    return this.#rests;
  }

  /** Of the first task. */
  get metrics(): RecordedMetrics {
    return this.metricsOf(0);
  }

  get counted(): readonly RecordedMetrics[] {
    return [...this.#metrics.values()];
  }

  get positions(): readonly Position[] {
    return parsed(this.#durable);
  }

  /** Plans the connector and starts its tasks from the positions accepted so far. */
  async start(): Promise<void> {
    const positions = async (match?: JsonObject): Promise<readonly Position[]> =>
      matching(this.positions, match);
    const planning = { connectorName: this.#name, log: this.log, positions };
    const configs = await this.#calls.run('taskConfigs()', () =>
      planTasks(this.#connector, this.#raw, this.#maxTasks, planning),
    );
    for (const [taskId, raw] of configs.entries()) {
      const running = { task: this.#connector.createTask(), stop: new AbortController() };
      this.#tasks.push(running);
      const config = parseConfigOrThrow(this.#connector.config, raw);
      const context = this.#context(taskId, running.stop.signal);
      await this.#calls.run('start()', () => running.task.start(context, config, raw));
    }
  }

  /** One poll of each task, at the same time. A RetriableError of one is thrown when no task gave records. */
  async poll(): Promise<readonly SourceRecord[]> {
    const answers = await Promise.allSettled(
      this.#tasks.map(async ({ task }) => {
        const polled = await this.#calls.run('poll()', () => task.poll());
        for (const record of polled) this.#polledBy.set(record, task);
        return polled;
      }),
    );
    const records: SourceRecord[] = [];
    let retriable: RetriableError | null = null;
    for (const answer of answers) {
      if (answer.status === 'fulfilled') records.push(...answer.value);
      else if (answer.reason instanceof RetriableError) retriable ??= answer.reason;
      else throw answer.reason;
    }
    if (records.length === 0 && retriable !== null) throw retriable;
    return records;
  }

  /** Polls until there are `count` records, calling again after RetriableErrors. Does not accept them. */
  async collect(count: number): Promise<SourceRecord[]> {
    const records: SourceRecord[] = [];
    const giveUpAt = performance.now() + this.#deadlineMs;
    while (records.length < count) {
      try {
        records.push(...(await this.poll()));
      } catch (error) {
        if (!(error instanceof RetriableError)) throw error;
      }
      if (records.length < count && performance.now() > giveUpAt) {
        const texts = records.map(({ value }) => valueText(value)).join(', ');
        throw new Error(
          `waited for ${count} records, but got ${records.length} in ${this.#deadlineMs} ms: ${texts}`,
        );
      }
    }
    return records;
  }

  /** A user's signal to each task that takes signals: what they answer. Its id is another each time, unless it is given. */
  async signal(
    type: string,
    data: JsonValue = null,
    id = `signal-${(this.#signals += 1)}`,
  ): Promise<JsonValue[]> {
    const answers: JsonValue[] = [];
    for (const { task } of this.#tasks)
      answers.push(...(await signalTask(this.#calls, task, { id, type, data })));
    return answers;
  }

  /** What the connector says of positions that a user sets: it throws where it refuses them. */
  async checkPositions(changes: readonly PositionChange[]): Promise<void> {
    const positions = async (match?: JsonObject): Promise<readonly Position[]> =>
      matching(this.positions, match);
    const { signal } = new AbortController();
    const context = { connectorName: this.#name, log: this.log, files: this.#files, positions, signal };
    const config = parseConfigOrThrow(this.#connector.config, this.#raw);
    await this.#calls.run('checkPositions()', () =>
      this.#connector.checkPositions?.(context, config, this.#raw, changes),
    );
  }

  /**
   * These records are durable in the log, and their positions with them; of a transaction when its end was accepted. Answers
   * those that are so now. Call in the order they were polled. `leftOut`: those of them that a transform has dropped.
   */
  async accept(
    records: readonly SourceRecord[],
    { leftOut = [] }: { readonly leftOut?: readonly SourceRecord[] } = {},
  ): Promise<readonly SourceRecord[]> {
    const moved = new Map<string, string>();
    const durable = this.#transactions.accept(records);
    for (const { sourcePartition, sourcePosition } of durable) {
      moved.set(JSON.stringify(sourcePartition), JSON.stringify(sourcePosition));
    }
    for (const [partition, position] of moved) this.#durable.set(partition, position);
    const positions = parsed(moved);
    const committed = durable
      .filter(({ transaction = null }) => transaction === null)
      .map((record) => ({ record, at: leftOut.includes(record) ? null : this.#appended(record) }));
    for (const { task } of this.#tasks) {
      const own = committed.filter(({ record }) => this.#polledBy.get(record) === task);
      if (own.length > 0) await this.#calls.run('commitRecords()', () => task.commitRecords?.(own));
      await this.#calls.run('commit()', () => task.commit?.(positions));
    }
    return durable;
  }

  /** All go to queue 0 of their topics. */
  #appended({ topic }: SourceRecord): CommittedRecord['at'] {
    const name = topic ?? 'topic';
    const offset = this.#ends.get(name) ?? 0;
    this.#ends.set(name, offset + 1);
    return { topic: name, queue: 0, offset };
  }

  /** Asks the tasks to stop, waits for a call under way to return, and stops them. */
  async stop(underWay?: Promise<unknown>): Promise<void> {
    const tasks = this.#tasks;
    this.#tasks = [];
    this.#transactions.drop();
    for (const { stop } of tasks) stop.abort();
    const ms = this.#stopDeadlineMs;
    try {
      if (underWay !== undefined) await this.#calls.run('a call after the stop signal', () => underWay, ms);
    } catch (error) {
      this.#abandoned.push(...tasks);
      throw error;
    }
    for (const { task } of tasks) await this.#calls.run('stop()', () => task.stop(), ms);
  }

  /** As when the process dies: the tasks are not told. `dispose` stops them in the end. */
  kill(): void {
    this.#abandoned.push(...this.#tasks);
    this.#tasks = [];
    this.#transactions.drop();
  }

  async dispose(): Promise<void> {
    this.kill();
    await release(this.#abandoned.splice(0), this.#calls, this.#stopDeadlineMs);
  }

  #context(taskId: number, signal: AbortSignal): SourceTaskContext {
    return {
      connectorName: this.#name,
      taskId,
      log: this.log,
      signal,
      files: this.#files,
      ...this.said.context,
      metrics: this.metricsOf(taskId).begin(),
      position: (partition) => {
        const text = this.#durable.get(JSON.stringify(partition));
        return text === undefined ? null : parse(text);
      },
      positions: (match) => matching(this.positions, match),
      beginAt: (partition, position) => {
        this.#durable.set(JSON.stringify(partition), JSON.stringify(position));
      },
      retire: (partition) => {
        this.#durable.delete(JSON.stringify(partition));
      },
      rest: (until) => {
        if (until !== null && !Number.isFinite(until)) throw new TypeError(`rest(${until}) is no time`);
        this.#rests.push(until);
      },
    };
  }
}

function matching(positions: readonly Position[], match: JsonObject = {}): readonly Position[] {
  return positions.filter(({ partition }) => partitionMatches(partition, match));
}

function parsed(positions: ReadonlyMap<string, string>): readonly Position[] {
  return [...positions].map(([partition, position]) => ({
    partition: parse(partition),
    position: parse(position),
  }));
}

/** Only for text that `accept` wrote from a JsonObject. */
function parse(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}
