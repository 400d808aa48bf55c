/** What the start of a task is given by its thread, without a thread. */
import assert from 'node:assert/strict';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import type { ActorLogger } from '#troupe/actors/kernel/protocol.js';
import { StateReport, type TaskActorContext, type TaskParts } from '#troupe/actors/task/parts.js';
import { Gate } from '#troupe/actors/task/gate.js';
import type { LoadedSink, LoadedSource } from '#troupe/actors/task/load-task.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import type { TaskParams } from '#troupe/actors/task/protocol.js';
import type { Signals } from '#troupe/actors/task/signals.js';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import type { SinkOffset } from '#troupe/core/progress/progress-machine.js';
import type { Changes } from '#troupe/actors/task/hot-config.js';
import { Throttling } from '#troupe/actors/task/throttling.js';
import type { ThrottleRates } from '#troupe/core/throttle.js';
import type { Log } from '#troupe/log/log.js';
import { parseConfigOrThrow } from '#troupe/sdk/config-parse.js';
import type { SinkTask, SourceTask } from '#troupe/sdk/plugin.js';
import { ANY_FILE } from '#troupe/sdk/testing/any-file.js';
import { ownMetrics, taskCounters } from './metrics.js';
import { refTo } from './ref.js';
import { DEFAULT_TOLERANCE } from './tolerance.js';

export const silent: ActorLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** Nobody sends any. */
/** Of a source that never says when it wants to be called. */
export const NO_REST = { take: () => undefined, untilCalled: () => Promise.resolve() };

/** Of a task whose config stays as it is. */
export const UNCHANGED: Changes = { isDue: false, take: () => undefined, onTake: () => undefined };

export const NO_SIGNALS: Signals = {
  waiting: false,
  serve: () => Promise.resolve(),
  onArrival: () => undefined,
};

/** Without limits, or with these. */
export function throttlingOf(
  rates: Partial<ThrottleRates>,
  more: Partial<ConstructorParameters<typeof Throttling>[0]> = {},
): Throttling {
  return new Throttling({
    rates: { recordsPerSecond: 0, bytesPerSecond: 0, ...rates },
    waited: { add: () => undefined },
    note: () => undefined,
    ...more,
  });
}

export interface TaskPartsOptions {
  readonly unit: string;
  readonly log: Log;
  readonly incarnation?: number;
  readonly leaseMs?: number;
  readonly stop?: AbortController;
  /** Told of the epoch that the task opens its progress with. */
  readonly opened?: (epoch: number) => Promise<void>;
  /** What the connector has committed. */
  readonly offsets?: () => readonly SinkOffset[];
  readonly onState?: (word: RebalancerProtocol['tell']['taskState']) => void;
}

/** Of epoch 7. Its rebalancer wants it to run. */
export function taskParts({
  unit,
  log,
  incarnation = 1,
  leaseMs = 3_600_000,
  stop = new AbortController(),
  opened = () => Promise.resolve(),
  offsets = () => [],
  onState = () => undefined,
}: TaskPartsOptions): TaskParts {
  const lease = createLease();
  renewLease(lease, monotonicMs() + leaseMs);
  const metrics = ownMetrics();
  const context: TaskActorContext = {
    id: unit,
    incarnation,
    params: paramsOf(unit),
    peers: {
      log: refTo({}),
      persistence: refTo({
        ask: {
          open: async ({ epoch }) => {
            await opened(epoch);
            return { positions: [], offsets: offsets(), uncovered: { tails: [], left: [] }, parts: [] };
          },
        },
      }),
      rebalancer: refTo({ tell: { taskState: onState } }),
    },
    system: {
      startChild: () => Promise.resolve(),
      replaceSpec: () => Promise.resolve(),
      stopChild: () => Promise.resolve(),
      children: () => Promise.resolve([]),
      tree: () => assert.fail('nobody asks for the tree'),
      metrics: () => assert.fail('nobody asks for the metrics'),
      logLevels: () => assert.fail('nobody asks for the levels'),
      setLogLevel: () => assert.fail('nobody sets a level'),
      watch: () => undefined,
      shutdown: () => undefined,
    },
    log: silent,
    signal: stop.signal,
    lease,
    metrics,
    crash: (error) => assert.fail(String(error)),
    passivate: () => assert.fail('it keeps its thread'),
  };
  const gate = new Gate(lease, stop.signal);
  gate.setTarget('RUNNING');
  const calls = new PluginCalls(3_600_000, () => undefined);
  const counters = taskCounters(metrics);
  const report = new StateReport(context);
  const signals = NO_SIGNALS;
  return {
    context,
    log,
    gate,
    calls,
    report,
    counters,
    signals,
    throttling: throttlingOf({}),
    changes: UNCHANGED,
  };
}

function paramsOf(unit: string): TaskParams {
  return {
    unit,
    epoch: 7,
    generation: 1,
    node: { id: 'n', incarnation: 'i' },
    taskCount: 1,
    passivateAfterMs: 0,
    config: {},
    version: 1,
    settings: {
      logSettings: { kind: 'embedded' },
      pluginPaths: [],
      files: { allowed: [], closed: [] },
      secretProviders: { env: [], folders: [], scopes: [] },
      positionTopic: 'positions',
      offsetTopic: 'offsets',
      ownTopics: ['positions', 'offsets'],
      keyConverter: '',
      valueConverter: '',
      headerConverter: '',
      stallTimeoutMs: 3_600_000,
      stopTimeoutMs: 10_000,
      offsetFlushIntervalMs: 1000,
      topicCreation: false,
      topicQueues: 1,
      topicRetentionMs: null,
      topicRetentionBytes: null,
    },
  };
}

const asText = {
  input: 'text' as const,
  instance: {
    fromConnectData: (_topic: string, _schema: unknown, value: unknown) => String(value),
    toConnectData: (_topic: string, value: unknown) => ({ schema: null, value }),
  },
};

const common = {
  config: parseConfigOrThrow([], {}),
  chain: null,
  keyConverter: asText,
  valueConverter: asText,
  headerConverter: asText,
  tolerance: DEFAULT_TOLERANCE,
  deadLetters: null,
  limits: { maxRecords: 1000, maxBytes: 10_000, lingerMs: 0 },
  throttle: { recordsPerSecond: 0, bytesPerSecond: 0 },
  offsetFlushIntervalMs: 1000,
  files: ANY_FILE,
};

const connector = { version: '1', config: [], taskConfigs: () => [] };

export function loadedSource(createTask: () => SourceTask, more: Partial<LoadedSource> = {}): LoadedSource {
  return {
    ...common,
    kind: 'source',
    topic: 'numbers',
    topicCreation: (_topic, node) => node,
    partitioner: { by: 'key', field: '' },
    exactlyOnce: 'requested',
    transactionMaxBytes: 100_000,
    connector: { ...connector, kind: 'source', createTask },
    ...more,
  };
}

/** Of the topic `numbers`; may be shared. */
export function loadedSink(createTask: () => SinkTask, more: Partial<LoadedSink> = {}): LoadedSink {
  return {
    ...common,
    kind: 'sink',
    topics: ['numbers'],
    topicsRegex: null,
    topicsRefreshMs: 3_600_000,
    shared: false,
    maxAttempts: 16,
    connector: { ...connector, kind: 'sink', shareable: true, createTask },
    ...more,
  };
}
