import type { ConfigDefinition, ConfigIssue, ParsedConfig } from './config.js';
import type { TaskMetrics } from './metrics.js';
import type { Header, JsonObject, JsonValue, SinkRecord, SourceRecord, ConnectRecord } from './record.js';
import type { Schema } from './schema.js';

/** A connector's or task's configuration as the user wrote it: strings to strings. */
export type RawConfig = Readonly<Record<string, string>>;

/** Writes to the task's log with connector and task in every line. Do not log records or secrets. */
export interface PluginLogger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/**
 * Which files this node lets connectors open (`connector.file.paths`), for whoever opens files: plugins run with the
 * rights of the node, so what REST could have them write might be run, and what they read be published. Ask in `validate`,
 * so that a bad config is refused, and again before each opening: links and the node's settings may have changed.
 */
export interface FileAccess {
  /**
   * Throws ConfigError FILE_NOT_ALLOWED, which says what to do, when the path may not be opened for reading or writing;
   * a relative one starts at the working folder. `field` is the key of the configuration that names it. Errors of
   * the system, such as EACCES on the way, come as they are.
   */
  check(path: string, field: string): Promise<void>;
  /** Absolute, symbolic links followed as far as the path exists. */
  realPath(path: string): Promise<string>;
}

/**
 * What a user tells a connector that is there already: `POST /connectors/{name}/signals`. It is delivered at least once: whoever
 * ends before its answer is durable is given it again, with the same id.
 * @experimental
 */
export interface Signal {
  readonly id: string;
  /** What is to be done, by a name that the plugin's documentation says; at most 100 characters. */
  readonly type: string;
  /** What it needs for that; null where nothing was sent. At most 16 KiB of JSON. */
  readonly data: JsonValue;
}

/** What a connector's planning side says to a signal. */
export interface PlanningAnswer {
  /** For the user: what was done. At most 16 KiB of JSON; null when left out. */
  readonly answer?: JsonValue;
  /** True: plan the tasks again. Durable with the answer. */
  readonly replan?: boolean;
}

// --- Connectors: plan the work. They run in a pool, under a deadline, and own no data. ---

/** What `validate` is told about the node that validates. */
export interface ValidationContext {
  readonly files: FileAccess;
}

export interface ConnectorContext extends ValidationContext {
  readonly connectorName: string;
  /** Of each call the first 99 lines are kept, and one that says that there were more. */
  readonly log: PluginLogger;
  /**
   * The durable positions of all tasks of this source, those whose partition has all fields of `match` (default: all): a connector
   * may have 100,000. Of a connector that is not there yet, and of a sink, none. Rejects while the log is away.
   */
  positions(
    match?: JsonObject,
  ): Promise<readonly { readonly partition: JsonObject; readonly position: JsonObject }[]>;
  /** Aborted shortly before the deadline, `planning.timeout.ms`, at which the call's thread is ended. */
  readonly signal: AbortSignal;
}

interface ConnectorPlugin<TaskPlugin> {
  readonly version: string;
  readonly config: ConfigDefinition;
  /** Checks beyond single fields, for example that a folder exists. Field checks have passed already. */
  validate?(
    config: ParsedConfig,
    raw: RawConfig,
    context: ValidationContext,
  ): Promise<readonly ConfigIssue[]> | readonly ConfigIssue[];
  /**
   * Connects to the system as a task would, and says what does not work; writes nothing, and closes what it opens. Asked for by
   * `config/validate?dry_run=true`, when every other check has passed, and before a changed config takes the place of one whose tasks
   * run, which may use the system meanwhile; within `planning.timeout.ms`: end on `context.signal`.
   * An error that it throws is an issue of the `field` of a ConfigError, or of the whole.
   * @experimental
   */
  connect?(
    context: ConnectorContext,
    config: ParsedConfig,
    raw: RawConfig,
  ): Promise<readonly ConfigIssue[]> | readonly ConfigIssue[];
  /**
   * One configuration for each task, at most `maxTasks`. Called again when the config changes, and when a new plan is asked for
   * (`replanAfterMs`, `signal`, `TaskContext.requestReplan`): tasks that come out as they were run on undisturbed.
   */
  taskConfigs(
    context: ConnectorContext,
    config: ParsedConfig,
    raw: RawConfig,
    maxTasks: number,
  ): Promise<readonly RawConfig[]> | readonly RawConfig[];
  /**
   * How long after a plan the tasks are to be planned again, in milliseconds, to see what has come or gone in the system; at least
   * 1,000. null, or without this function: not by time.
   * @experimental
   */
  replanAfterMs?(config: ParsedConfig, raw: RawConfig): number | null;
  /**
   * A user's signal, for what the planning side can do: runs as `taskConfigs` does, within `planning.timeout.ms`. What it throws is
   * the answer; throw a ConnectError of the code UNKNOWN_SIGNAL for a type that it does not know.
   * @experimental
   */
  signal?(
    context: ConnectorContext,
    config: ParsedConfig,
    raw: RawConfig,
    signal: Signal,
  ): Promise<PlanningAnswer> | PlanningAnswer;
  /** One object for each start of a task; called inside the task's own thread. */
  createTask(): TaskPlugin;
}

/** What a user sets: null removes the position of the partition. */
export interface PositionChange {
  readonly partition: JsonObject;
  readonly position: JsonObject | null;
}

export interface SourceConnector extends ConnectorPlugin<SourceTask> {
  readonly kind: 'source';
  /**
   * Asked before positions are set or removed by hand (`PATCH` and `DELETE /connectors/{name}/offsets`; as Kafka Connect's
   * `alterOffsets`), with the connector STOPPED; runs as `taskConfigs` does. Throw where a partition or position is none of this
   * connector's, and nothing is changed. Without it whatever is JSON is taken.
   * @experimental
   */
  checkPositions?(
    context: ConnectorContext,
    config: ParsedConfig,
    raw: RawConfig,
    changes: readonly PositionChange[],
  ): Promise<void> | void;
  /**
   * Why its records cannot be looked at by a task beside those of the connector (`GET /connectors/{name}/preview`), as a sentence for its
   * user; null: they can. Such a task is started from the connector's positions, polled for some seconds and stopped; it is told of
   * no commit, and what it says of positions is forgotten. Refuse where polling takes records away from others, or the system
   * has one reader: a queue that is consumed, a replication slot, a port that is listened on. Without it a preview is made.
   * @experimental
   */
  previewRefusal?(config: ParsedConfig, raw: RawConfig): string | null;
}

export interface SinkConnector extends ConnectorPlugin<SinkTask> {
  readonly kind: 'sink';
  /**
   * True: its tasks can do without order and offsets, so `consume.mode=shared` is allowed. There `assignment` is
   * empty, nothing can be sought, and a record that comes again has another queue and offset.
   */
  readonly shareable?: boolean;
}

// --- Tasks: move records. One thread each; the runtime calls one method at a time. ---

export interface TaskContext {
  readonly connectorName: string;
  readonly taskId: number;
  readonly log: PluginLogger;
  /** Aborted when the task is asked to stop: waits in start, poll, put or flush should end on it. */
  readonly signal: AbortSignal;
  readonly files: FileAccess;
  /**
   * What a user should know of the task though it runs: in its status (`notes`) until its next start, or until null takes
   * it back. `code`: capitals, digits and `_`, at most 64; of one code the newest message counts. All nodes are told, so it
   * is shown up to ten seconds later; the first 20 codes, and 500 characters of each message. No secrets.
   */
  note(code: string, message: string | null): void;
  /**
   * How far a long work is, such as a snapshot or a backfill: in the task's status (`progress`) until its next start, or until
   * null says that it is over. Shown up to ten seconds later, 500 characters of the text. No secrets.
   */
  progress(done: TaskProgress | null): void;
  /**
   * What it counts and measures: `GET /metrics`.
   * @experimental
   */
  readonly metrics: TaskMetrics;
  /**
   * The system has changed, so that other tasks may be due: `taskConfigs` is called again, somewhere in the cluster. Requests that
   * come close together are one, and a connector is planned again at most each five seconds.
   * @experimental
   */
  requestReplan(): void;
}

/** What tasks of sources and sinks have in common. */
interface SignalledTask {
  /**
   * A user's signal. Called between two other calls, also while the connector is paused, and soon: return from `poll` within
   * about a second. Begin what takes long and go on with it in `poll` or `put`: a call that takes longer than
   * `task.stall.timeout.ms` is answered for, and the task starts again. What it returns is the answer, at most 16 KiB of JSON
   * (nothing: null); what it throws as well, and the task goes on. Throw a ConnectError of the code UNKNOWN_SIGNAL for a
   * type that it does not know.
   * @experimental
   */
  signal?(signal: Signal): Promise<JsonValue | undefined> | JsonValue | undefined;
}

export interface TaskProgress {
  /** What is being done, as a sentence: "snapshot of public.orders, table 3 of 12". */
  readonly text: string;
  /** 0 to 100, of the whole work; left out where nobody knows. */
  readonly percent?: number;
}

export interface SourceTaskContext extends TaskContext {
  /** The durable position of a source partition, or null when there is none. */
  position(partition: JsonObject): JsonObject | null;
  /**
   * Every partition of this connector that had a durable position when the task started, those of its other tasks too. `match`: only
   * those that have all of its fields.
   */
  positions(match?: JsonObject): readonly { readonly partition: JsonObject; readonly position: JsonObject }[];
  /**
   * Makes a position durable that no record has: where reading of a partition begins. Said in `start`, it is durable
   * before the first poll; said in `poll`, no later than the records of that poll.
   */
  beginAt(partition: JsonObject, position: JsonObject): void;
  /**
   * Forgets the position of a source partition that is gone for good, such as a file that was deleted. Durable in
   * order: said in `poll`, after the records of earlier polls and before those of this one, so retire a partition in a
   * poll after its last records. Nodes keep every position in memory: a connector may have `source.partitions.max` of
   * them (100,000), beyond which its tasks fail with TOO_MANY_PARTITIONS.
   */
  retire(partition: JsonObject): void;
  /**
   * Said in a `poll` that finds nothing: no call is wanted before that time (milliseconds since 1970), or, with null, before a signal
   * of a user (`signal`). Where it is further away than `task.passivate.after.ms` the task gives up its thread: it is
   * stopped as ever, and started again then. Say it in each such poll anew.
   * @experimental
   */
  rest(until: number | null): void;
}

export interface SourceTask extends SignalledTask {
  start(context: SourceTaskContext, config: ParsedConfig, raw: RawConfig): Promise<void> | void;
  /**
   * The next records, in order within a source partition. An empty array means nothing now: wait for a moment first, up to
   * about a second, or for data or `context.signal`; a poll that answers at once asks your system over and over. The runtime
   * goes on polling while earlier records are being appended. Throw RetriableError to be called again after a backoff.
   */
  poll(): Promise<readonly SourceRecord[]> | readonly SourceRecord[];
  /** These positions are durable now: the source may forget what lies before them. */
  commit?(
    positions: readonly { readonly partition: JsonObject; readonly position: JsonObject }[],
  ): Promise<void> | void;
  /**
   * These records are durable now, or were left out for good, in the order of the polls: for sources that acknowledge each, such as
   * those of a message queue. Before `commit` of their positions, after the poll during which they became so, and at a
   * pause and at the end. Each comes once, or not at all where the task fails or dies first: then the system gives it again. Without those
   * that are part of a transaction, whose source goes on after its end.
   * @experimental
   */
  commitRecords?(records: readonly CommittedRecord[]): Promise<void> | void;
  /** Frees what the task holds. Also called after a `start` that has failed. */
  stop(): Promise<void> | void;
}

/**
 * A record that is durable, and where it stands.
 * @experimental
 */
export interface CommittedRecord {
  /** The object that `poll` returned. */
  readonly record: SourceRecord;
  /**
   * Where it stands in the log; null: nowhere, as a transform has dropped it, or it was skipped as a bad record. The offset is null where the
   * log does not tell, as RocketMQ.
   */
  readonly at: (QueueRef & { readonly offset: number | null }) | null;
}

export interface QueueRef {
  readonly topic: string;
  readonly queue: number;
}

/** `offset` is the next one to read, so the number of records before it when nothing was deleted. */
export interface QueueOffset extends QueueRef {
  readonly offset: number;
}

export interface SinkTaskContext extends TaskContext {
  /** The queues that the task reads now. It changes while the task runs if that has `open`. */
  readonly assignment: readonly QueueRef[];
  /**
   * Names this life of a topic of the assignment: a topic that was deleted and made anew, or that is in another log, has
   * another id. A sink that keeps offsets beside its data keeps this with them: under another id they mean nothing, and
   * the topic is to be read from offset 0. null: the log cannot tell, as RocketMQ.
   */
  topicId(topic: string): string | null;
  /**
   * Go on from these offsets instead of the committed ones; 0 stands for the oldest record. For sinks that keep offsets beside
   * their data, or that have to be given records again. One backwards is durable before the next `put`. Queues that
   * are not in `assignment` are ignored, with a warning; throws on what is no offset. One behind the end of its queue, said
   * in `start` or `open`, ends the task with SEEK_BEHIND_END.
   */
  seek(offsets: readonly QueueOffset[]): void;
  /** Stop and resume delivery of queues; nothing is skipped. */
  pause(queues: readonly QueueRef[]): void;
  resume(queues: readonly QueueRef[]): void;
  /** Ask for a flush and commit soon instead of at the interval. */
  requestCommit(): void;
  /** Report one record that cannot be written, when the connector is configured to tolerate errors; else throws. */
  report(record: SinkRecord, error: Error): Promise<void>;
}

export interface SinkTask extends SignalledTask {
  start(context: SinkTaskContext, config: ParsedConfig, raw: RawConfig): Promise<void> | void;
  /**
   * These queues are read from now on: after `start` those of the `assignment`, and those that come while the task runs, since
   * a topic has grown, has begun to match `topics.regex`, or was made anew (after `close` of its old queues, under another
   * `topicId`). Before their first `put`; `seek` is allowed. A task without `open` is stopped and started anew for them.
   * Throw RetriableError to be called again; nothing is put until it has passed.
   * @experimental
   */
  open?(queues: readonly QueueRef[]): Promise<void> | void;
  /**
   * These queues are not read any more: their topic was deleted or made anew, or the task stops in order; with what was put of
   * them flushed, and its offsets committed as `preCommit` said. Nothing of them is committed after it. Not called
   * where the task fails or dies: free everything in `stop`, too. Throw RetriableError to be called again.
   * @experimental
   */
  close?(queues: readonly QueueRef[]): Promise<void> | void;
  /**
   * Take these records; they may be buffered until `flush`. Throw RetriableError to get the same records again
   * after a backoff; any other error fails the task and it starts again from the last commit.
   */
  put(records: readonly SinkRecord[]): Promise<void> | void;
  /** Make everything put so far durable. After it returns its offsets may be committed. */
  flush(): Promise<void> | void;
  /**
   * Offsets that are safe to commit, when these are less than what was flushed. Default: `flushed` as given. What is more than
   * that, or of a queue that is not in `assignment`, is ignored, with a warning (`SINK_BAD_OFFSET`).
   */
  preCommit?(flushed: readonly QueueOffset[]): Promise<readonly QueueOffset[]> | readonly QueueOffset[];
  /**
   * Asked when nothing has come for `task.passivate.after.ms` and everything is committed: whether the task may give up its
   * thread. Then it is stopped as ever, and the next record starts another one. False: it keeps what would be costly to
   * open again, and is asked again after as long. Default: true.
   * @experimental
   */
  mayPassivate?(): Promise<boolean> | boolean;
  /** As that of a source. */
  stop(): Promise<void> | void;
}

// --- Converters, transforms, predicates: in the task's thread, once a record, synchronous. ---

export interface SchemaAndValue {
  readonly schema: Schema | null;
  readonly value: unknown;
}

export interface Converter {
  readonly version: string;
  readonly config: ConfigDefinition;
  /** What `toConnectData` wants to be given. Text is decoded a batch at a time, which is much faster. */
  readonly input: 'bytes' | 'text';
  /** `isHeader`: for the values of headers (`header.converter`), whose `topic` is that of their record. */
  create(
    config: ParsedConfig,
    options: { readonly isKey: boolean; readonly isHeader?: boolean },
  ): ConverterInstance;
}

export interface ConverterInstance {
  /** Serialised form; a string stands for its UTF-8 bytes; null for no value. */
  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | string | null;
  /** `data` is a string when the converter's `input` is 'text', but for bytes that are no UTF-8: those come as they are. */
  toConnectData(topic: string, data: Uint8Array | string | null): SchemaAndValue;
}

export interface Transform {
  readonly version: string;
  readonly config: ConfigDefinition;
  create(config: ParsedConfig): TransformInstance;
}

export interface TransformInstance {
  /** The record to go on with, or null to drop it. Makes a changed record by `withValue` and its like. */
  apply<R extends ConnectRecord>(record: R): R | null;
  /** Frees what it holds, when the task has stopped, or its configuration was checked. What it throws is logged; it may take seconds. */
  close?(): Promise<void> | void;
}

export interface Predicate {
  readonly version: string;
  readonly config: ConfigDefinition;
  create(config: ParsedConfig): PredicateInstance;
}

export interface PredicateInstance {
  test(record: ConnectRecord): boolean;
  /** As that of a transform. */
  close?(): Promise<void> | void;
}

// --- Config providers: what references such as `${vault:path:key}` stand for. ---

/**
 * A node that has `config.providers=vault` and `config.providers.vault.class` set to the class of this plugin looks up
 * `${vault:path:key}` in connectors' configurations with it.
 * @experimental
 */
export interface ConfigProvider {
  readonly version: string;
  /** Of the node's parameters `config.providers.NAME.param.…`, without what stands before. */
  readonly config: ConfigDefinition;
  /** Once in each thread that has something to look up: of each task, and of those that validate and plan. */
  create(config: ParsedConfig): ConfigProviderInstance;
}

/** @experimental */
export interface ConfigProviderInstance {
  /**
   * The values of the keys at the path, which is empty where a reference has none. A key that is left out is not there. What it
   * throws is told in place of the value, without the node's parameters of the provider; it has ten seconds, and is then aborted.
   */
  get(
    path: string,
    keys: readonly string[],
    options: { readonly signal: AbortSignal },
  ): Promise<ConfigData> | ConfigData;
}

/** @experimental */
export interface ConfigData {
  readonly values: Readonly<Record<string, string>>;
  /**
   * How long they hold, in milliseconds: until then nobody asks again, and then tasks do, and start anew where something else
   * is said. Default: for as long as the task runs.
   */
  readonly ttlMs?: number;
}

// --- Manifest: what a plugin module exports. ---

export type Plugin =
  | { readonly type: 'source'; readonly plugin: SourceConnector }
  | { readonly type: 'sink'; readonly plugin: SinkConnector }
  | { readonly type: 'converter'; readonly plugin: Converter }
  /** One that is for headers only; every other converter may be used for them, too. */
  | { readonly type: 'header_converter'; readonly plugin: Converter }
  | { readonly type: 'transformation'; readonly plugin: Transform }
  | { readonly type: 'predicate'; readonly plugin: Predicate }
  /** @experimental */
  | { readonly type: 'config_provider'; readonly plugin: ConfigProvider };

export type PluginType = Plugin['type'];

/**
 * One entry of a package's manifest: `"troupe": { "plugins": [...] }` in its package.json. Reading it costs no
 * code; the module is imported in the thread that uses it. Its default export is the plugin object.
 */
export interface PluginManifestEntry {
  /** The name used in `connector.class`, `*.converter`, `transforms.*.type`. */
  readonly class: string;
  readonly type: PluginType;
  readonly version: string;
  /** Path of the module, relative to the package; `path#name` takes that export instead of the default one. */
  readonly module: string;
  /** Other names it answers to, for example upstream's class names. */
  readonly aliases?: readonly string[];
}

export type { Header };
