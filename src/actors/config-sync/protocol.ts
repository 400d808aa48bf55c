import type { ConfigInfos, ConfigKeyInfo, PluginKeyInfo } from '../../plugins/config-infos.js';
import type { TransformTestReport } from '../../plugins/transform-tests.js';
import type { SignalBody, SignalRecord, SignalTarget, UnitAnswer } from '../../core/connectors/signals.js';
import type { ConnectorEntry, SourcePosition, TargetState, UnitKey } from '../../core/model.js';
import type { EventPage, EventsRequest } from '../../core/event.js';
import type { SinkOffset } from '../../core/progress/progress-machine.js';
import type { QueueRange } from '../../log/log.js';
import type { LevelName } from '../../core/logger-levels.js';
import type { Protocol } from '../kernel/protocol.js';
import type { ProgressChange } from '../persistence/protocol.js';
import type { Window, WindowQueue, WindowRequest } from './topic-window.js';

type Config = Readonly<Record<string, string>>;

export type { WindowFrom } from './topic-window.js';
export type { ConfigInfos, ConfigKeyInfo, PluginKeyInfo, TransformTestReport };

export interface PluginInfo {
  readonly class: string;
  /** source, sink, converter, transformation or predicate. */
  readonly type: string;
  readonly version: string;
  /** Other names that `connector.class` may use for it. */
  readonly aliases?: readonly string[];
  /** false: its module does not load. `problems` has the reason. */
  readonly loads?: false;
}

export interface PluginListing {
  readonly plugins: readonly PluginInfo[];
  /** Plugins that could not be read: reported, not fatal. */
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
}

export interface QueueLag {
  readonly topic: string;
  readonly queue: number;
  readonly records: number;
  /** Since the oldest of them was appended; 0 where there is none. */
  readonly seconds: number;
}

export interface TopicSummary {
  readonly name: string;
  readonly queues: number;
  /** The cluster's own. */
  readonly internal: boolean;
}

export interface RecordsRequest extends WindowRequest {
  /** Those of a connector, or keys of a configuration. */
  readonly converters: { readonly connector: string } | { readonly config: Config };
}

export interface RecordsReply extends Omit<Window, 'runs'> {
  /** Each a JSON object, in the order of the queues and their offsets. */
  readonly records: readonly string[];
}

export interface PreviewRequest {
  readonly limit: number;
  /** Of a sink: at the beginning or the end of its topics, or what it would be given next. A source begins anew with `earliest`. */
  readonly from: 'latest' | 'earliest' | 'next';
}

/** What a connector would move, or be given. */
export interface PreviewReply {
  readonly type: 'source' | 'sink';
  /** Each a JSON object. */
  readonly records: readonly string[];
  /** Why there are fewer than were asked for; null: there are as many, or all that the topics hold. */
  readonly stopped: 'BYTES' | 'TIME' | 'ERROR' | null;
  readonly error?: { readonly code: string; readonly message: string };
  /** Of a sink. */
  readonly topics?: readonly { readonly topic: string; readonly queues: readonly WindowQueue[] }[];
}

export interface TopicDetails extends Omit<TopicSummary, 'queues'> {
  readonly queues: readonly QueueRange[];
  /** null: without a limit, or somebody else rules over it. */
  readonly retentionMs: number | null;
  readonly retentionBytes: number | null;
  /** Those that name it, or have been seen to use it. */
  readonly connectors: readonly string[];
}

/**
 * Every write resolves once it is durable in the log and applied on this node. Remote error codes:
 * CONNECTOR_NOT_FOUND, CONNECTOR_EXISTS, VERSION_CONFLICT, CONFIG_INVALID (its message lists every field),
 * PLANNING_TIMEOUT, PLANNING_OUT_OF_MEMORY, PLANNING_FAILED, and the log's own.
 */
export interface ConfigSyncProtocol extends Protocol {
  tell: {
    /** Tasks of this node have written to these topics, or read them. */
    topicsUsed: { connector: string; topics: readonly string[] };
  };
  ask: {
    connectors: { request: Record<string, never>; reply: readonly ConnectorEntry[] };
    connector: { request: { name: string }; reply: ConnectorEntry | null };
    /**
     * Validates, then writes. `mode` create: CONNECTOR_EXISTS when there is one; put: creates or replaces.
     * `expectedVersion`: VERSION_CONFLICT when the stored entry's version is another, or there is none.
     */
    put: {
      request: {
        name: string;
        config: Config;
        mode: 'create' | 'put';
        initialState?: TargetState;
        expectedVersion?: number;
      };
      reply: { entry: ConnectorEntry; created: boolean };
    };
    /** null removes a key. */
    patch: {
      request: { name: string; changes: Readonly<Record<string, string | null>> };
      reply: { entry: ConnectorEntry };
    };
    delete: { request: { name: string }; reply: Record<string, never> };
    setTarget: { request: { name: string; state: TargetState }; reply: { entry: ConnectorEntry } };
    /** `tasks`: their numbers. The caller decides which ones failed. */
    restart: {
      request: { name: string; connector: boolean; tasks: readonly number[] };
      reply: { entry: ConnectorEntry };
    };
    /**
     * Runs the connector's planning in the pool and writes the task list. The rebalancer asks it for its claims, and says
     * which. TASKS_STALE: the config has changed in the meantime, or a newer claim has planned. `replanAfterMs`: when the
     * connector wants to be planned again; null: not by time. `warning`: what its user should know; null: nothing. `restart`: its
     * tasks start anew, whatever has changed.
     */
    plan: {
      request: { name: string; epoch: number; restart?: boolean };
      reply: { entry: ConnectorEntry; replanAfterMs: number | null; warning: string | null };
    };
    /** What a connector's tasks have used, by name; of one that is not there nothing. TOPIC_TRACKING_OFF. */
    usedTopics: { request: { name: string }; reply: readonly string[] };
    /** Forgets them: what is used from now on counts. TOPIC_TRACKING_OFF, TOPIC_RESET_OFF. */
    forgetTopics: { request: { name: string }; reply: Record<string, never> };
    /** The log's topics. */
    topics: { request: Record<string, never>; reply: readonly TopicSummary[] };
    topic: { request: { name: string }; reply: TopicDetails | null };
    /**
     * Of a connector that is there, or of a configuration. Nothing is written, and no position or offset moves. CONNECTOR_NOT_FOUND,
     * CONFIG_INVALID, PREVIEW_REFUSED, TOPIC_NOT_FOUND, PLANNING_FAILED and the like.
     */
    preview: {
      request: PreviewRequest & { readonly of: { readonly connector: string } | { readonly config: Config } };
      reply: PreviewReply;
    };
    /** TOPIC_NOT_FOUND, TOPIC_OWN, QUEUE_NOT_FOUND, CONNECTOR_NOT_FOUND, CONFIG_INVALID. */
    records: { request: RecordsRequest; reply: RecordsReply };
    /** TOPIC_NOT_FOUND, TOPIC_OWN, TOPIC_IN_USE: a connector that is not stopped uses it. */
    deleteTopic: { request: { name: string }; reply: Record<string, never> };
    /** Asks for a new plan, of whoever has the connector's claim. CONNECTOR_NOT_FOUND. */
    replan: { request: { name: string }; reply: Record<string, never> };
    /**
     * A signal of a user. Answers when all have answered it, or `waitMs` have passed. CONNECTOR_STOPPED, TASK_NOT_FOUND,
     * TOO_MANY_SIGNALS, SIGNAL_EXISTS: another one has this id.
     */
    signal: {
      request: { name: string; id: string; signal: SignalBody; to: SignalTarget; waitMs: number };
      reply: SignalRecord;
    };
    /** What is known of the signals of a connector, the oldest first. */
    signals: { request: { name: string }; reply: readonly SignalRecord[] };
    signalOf: { request: { name: string; id: string }; reply: SignalRecord | null };
    /** SIGNAL_NOT_FOUND. */
    answerSignal: {
      request: { name: string; unit: UnitKey; id: string; answer: UnitAnswer };
      reply: Record<string, never>;
    };
    /** Asks the connector's planning side, in the pool, and writes its answer. The rebalancer asks it for its claims. SIGNAL_NOT_FOUND. */
    signalPlanner: { request: { name: string; id: string }; reply: Record<string, never> };
    /** What is durable of a connector by now: of a source positions, of a sink offsets. */
    offsets: {
      request: { name: string };
      reply: { readonly positions: readonly SourcePosition[]; readonly offsets: readonly SinkOffset[] };
    };
    /** What users do to connectors. */
    events: { request: EventsRequest; reply: EventPage };
    /** Of a logger on all nodes that are there. LOGGERS_TOO_MANY is told where it happens, in the log. */
    setLogLevel: { request: { logger: string; level: LevelName }; reply: Record<string, never> };
    /** Of a sink, in the queues that it has offsets of and that are there. */
    lag: { request: { name: string }; reply: readonly QueueLag[] };
    /** CONNECTOR_NOT_STOPPED, or a task has started meanwhile; POSITIONS_REFUSED, by the source or as there is no such queue. */
    alterOffsets: { request: { name: string; change: ProgressChange }; reply: Record<string, never> };
    /** `dryRun`: the connector also connects as its tasks would. */
    validate: { request: { config: Config; dryRun: boolean }; reply: ConfigInfos };
    /** `body`: JSON that has the tests of the transforms in its field `tests`. CONFIG_INVALID. */
    testTransforms: { request: { config: Config; body: string }; reply: TransformTestReport };
    plugins: { request: Record<string, never>; reply: PluginListing };
    /** Definitions of one plugin's own keys. PLUGIN_NOT_FOUND. */
    pluginConfig: { request: { class: string; version: string | null }; reply: readonly PluginKeyInfo[] };
    /** Reads pluginPaths again; running tasks keep what they have until they are restarted. */
    reloadPlugins: { request: Record<string, never>; reply: PluginListing };
  };
}
