/**
 * What the routes need of the node. The http actor implements it over asks to the other actors
 * (src/http/actor/runtime.ts), the tests in memory. Every function rejects with a RuntimeFailure.
 */
import type {
  ConfigInfos,
  ConfigSyncProtocol,
  PluginKeyInfo,
  PluginListing,
  PreviewReply,
  QueueLag,
  RecordsReply,
  RecordsRequest,
  TopicDetails,
  TopicSummary,
  TransformTestReport,
} from '../actors/config-sync/protocol.js';
import type { ClusterView } from '../actors/discovery/protocol.js';
import type { EventPage, EventsRequest } from '../core/event.js';
import type { LevelName, LoggerLevel } from '../core/logger-levels.js';
import type { TreeNode } from '../actors/kernel/protocol.js';
import type { MetricsFormat } from '../core/metrics/exposition.js';
import type { SignalBody, SignalRecord, SignalTarget } from '../core/connectors/signals.js';
import type { ProgressChange } from '../actors/persistence/protocol.js';
import type { ConnectorEntry, SourcePosition, TargetState } from '../core/model.js';
import type { SinkOffset } from '../core/progress/progress-machine.js';
import type { RebalancePlan } from '../core/cluster/rebalance-plan.js';

export type Config = Readonly<Record<string, string>>;

/** One request's budget, handed down to everything done for it. */
export interface Call {
  /** Aborted when the time limit has passed. */
  readonly signal: AbortSignal;
  /** Aborted when nobody can be answered any more: the client has gone away, or has its answer. */
  readonly gone: AbortSignal;
  /** Milliseconds left; at least 1. */
  remainingMs(): number;
  /** What is being waited for, for the message of a timeout. */
  waitingFor: string;
}

export interface WorkerInfo {
  readonly workerId: string;
  readonly clusterId: string;
  readonly version: string;
  readonly commit: string;
}

export interface Health {
  readonly status: 'healthy' | 'starting' | 'unhealthy';
  /** What is missing; empty when healthy. */
  readonly detail: string;
}

export interface PutRequest {
  readonly name: string;
  readonly config: Config;
  /** create: fails with CONNECTOR_EXISTS when there is one. */
  readonly mode: 'create' | 'put';
  readonly initialState?: TargetState;
  /** Fails with VERSION_CONFLICT when the stored configuration is of another version. */
  readonly expectedVersion?: number;
}

export interface RestartRequest {
  readonly name: string;
  readonly connector: boolean;
  readonly tasks: readonly number[];
}

export interface SignalSending {
  readonly name: string;
  readonly id: string;
  readonly signal: SignalBody;
  readonly to: SignalTarget;
  /** How long its answers are waited for. */
  readonly waitMs: number;
}

export type EventSource = 'config' | 'cluster';

/** Writes resolve once they are durable and applied on this node. */
export interface Runtime {
  readonly worker: WorkerInfo;
  health(call: Call): Promise<Health>;
  connectors(call: Call): Promise<readonly ConnectorEntry[]>;
  connector(call: Call, name: string): Promise<ConnectorEntry | null>;
  /** CONNECTOR_EXISTS, VERSION_CONFLICT, CONFIG_INVALID, PLANNING_TIMEOUT, PLANNING_OUT_OF_MEMORY, PLANNING_FAILED. */
  put(
    call: Call,
    request: PutRequest,
  ): Promise<{ readonly entry: ConnectorEntry; readonly created: boolean }>;
  /** null removes a key. CONNECTOR_NOT_FOUND and what `put` fails with. */
  patch(call: Call, name: string, changes: Readonly<Record<string, string | null>>): Promise<ConnectorEntry>;
  delete(call: Call, name: string): Promise<void>;
  setTarget(call: Call, name: string, state: TargetState): Promise<ConnectorEntry>;
  restart(call: Call, request: RestartRequest): Promise<ConnectorEntry>;
  /** Of a source positions, of a sink offsets. */
  offsets(
    call: Call,
    name: string,
  ): Promise<{ readonly positions: readonly SourcePosition[]; readonly offsets: readonly SinkOffset[] }>;
  /** CONNECTOR_NOT_FOUND, CONNECTOR_NOT_STOPPED, POSITIONS_REFUSED. */
  alterOffsets(call: Call, name: string, change: ProgressChange): Promise<void>;
  /** Of a sink. */
  lag(call: Call, name: string): Promise<readonly QueueLag[]>;
  /** Of one of the two topics that events are made from: waits for one, as the request says. */
  events(source: EventSource, request: EventsRequest, signal: AbortSignal): Promise<EventPage>;
  /** Of this node. */
  loggers(call: Call): Promise<readonly LoggerLevel[]>;
  /** With those below it. Names of those that had another level. LOGGERS_TOO_MANY. */
  setLogger(call: Call, name: string, level: LevelName): Promise<readonly string[]>;
  setClusterLogger(call: Call, name: string, level: LevelName): Promise<void>;
  /** Of the log. */
  topics(call: Call): Promise<readonly TopicSummary[]>;
  topic(call: Call, name: string): Promise<TopicDetails | null>;
  /** CONNECTOR_NOT_FOUND, PREVIEW_REFUSED, CONFIG_INVALID, TOPIC_NOT_FOUND, PLANNING_FAILED and the like. */
  preview(call: Call, request: ConfigSyncProtocol['ask']['preview']['request']): Promise<PreviewReply>;
  /** TOPIC_NOT_FOUND, TOPIC_OWN, QUEUE_NOT_FOUND, CONNECTOR_NOT_FOUND, CONFIG_INVALID. */
  records(call: Call, request: RecordsRequest): Promise<RecordsReply>;
  /** TOPIC_NOT_FOUND, TOPIC_OWN, TOPIC_IN_USE. */
  deleteTopic(call: Call, name: string): Promise<void>;
  /** Topics that a connector has used. TOPIC_TRACKING_OFF. */
  usedTopics(call: Call, name: string): Promise<readonly string[]>;
  /** TOPIC_TRACKING_OFF, TOPIC_RESET_OFF. */
  forgetTopics(call: Call, name: string): Promise<void>;
  /** CONNECTOR_NOT_FOUND, CONNECTOR_STOPPED, TASK_NOT_FOUND, SIGNAL_EXISTS, TOO_MANY_SIGNALS. */
  sendSignal(call: Call, request: SignalSending): Promise<SignalRecord>;
  /** The oldest first. */
  signals(call: Call, name: string): Promise<readonly SignalRecord[]>;
  signal(call: Call, name: string, id: string): Promise<SignalRecord | null>;
  /** `dryRun`: the connector also connects as its tasks would. */
  validate(call: Call, config: Config, dryRun?: boolean): Promise<ConfigInfos>;
  /** `body`: JSON that has the tests in its field `tests`. CONFIG_INVALID, and what planning fails with. */
  testTransforms(call: Call, config: Config, body: string): Promise<TransformTestReport>;
  plugins(call: Call): Promise<PluginListing>;
  /** PLUGIN_NOT_FOUND. */
  pluginConfig(call: Call, pluginClass: string, version: string | null): Promise<readonly PluginKeyInfo[]>;
  reloadPlugins(call: Call): Promise<PluginListing>;
  cluster(call: Call): Promise<ClusterView>;
  /** NODE_NOT_FOUND. */
  drain(call: Call, node: string, drained: boolean): Promise<void>;
  rebalance(call: Call, dryRun: boolean): Promise<RebalancePlan>;
  tree(call: Call): Promise<TreeNode>;
  /** Of this node and its tasks, as the format has them. */
  metrics(call: Call, format: MetricsFormat): Promise<string>;
}

/** Why the runtime could not do it. `code` is an actor's, the log's or config-sync's error code. */
export class RuntimeFailure extends Error {
  override readonly name = 'RuntimeFailure';
  readonly code: string;
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
