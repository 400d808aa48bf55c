import type { ActorLogger, SystemRef } from '#troupe/actors/kernel/protocol.js';
import type { DiscoveryParams } from '#troupe/actors/discovery/params.js';
import type { RebalancerParams } from '#troupe/actors/rebalancer/params.js';
import { EVICTION_MS, HEARTBEAT_MS, LEASE_MS, MAX_MOVES, OFFSET_TOPIC, POSITION_TOPIC } from './world.js';

const BACKOFF = { minMs: 50, maxMs: 300, jitter: 0.5 };

export const DISCOVERY: DiscoveryParams = {
  workerId: '',
  process: '',
  logSettings: { kind: 'embedded' },
  restUrl: '',
  topic: '',
  heartbeatMs: HEARTBEAT_MS,
  leaseMs: LEASE_MS,
  evictionMs: EVICTION_MS,
};

export const REBALANCER: RebalancerParams = {
  quarantine: { deaths: 0, periodMs: 1 },
  installedPlugins: null,
  settings: {
    logSettings: { kind: 'embedded' },
    pluginPaths: [],
    files: { allowed: [], closed: [] },
    secretProviders: { env: [], folders: [], scopes: [] },
    positionTopic: POSITION_TOPIC,
    offsetTopic: OFFSET_TOPIC,
    ownTopics: [],
    keyConverter: '',
    valueConverter: '',
    headerConverter: '',
    stallTimeoutMs: 1e9,
    stopTimeoutMs: 1000,
    offsetFlushIntervalMs: 1000,
    topicCreation: false,
    topicQueues: 1,
    topicRetentionMs: null,
    topicRetentionBytes: null,
  },
  startDeadlineMs: 10_000,
  stopDeadlineMs: 1000,
  beatDeadlineMs: 10_000,
  memory: { heapMb: 16, softShare: 1, ceilingMb: 16, externalMb: 16 },
  intensity: { restarts: 1e9, periodMs: 1 },
  backoff: BACKOFF,
  maxMoves: MAX_MOVES,
  passivateAfterMs: 0,
  taskCode: { module: 'the simulation starts no thread' },
};

const ignore = (): void => undefined;
export const LOG: ActorLogger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => LOG,
};

export const NO_LOG = (): Promise<never> => Promise.reject(new Error('nothing here reads the log'));

/** Where no task has long nothing to do. */
export const NOBODY_RESTS = (): never => {
  throw new Error('nobody gives up its thread here');
};

const unused = (): never => {
  throw new Error('tasks do not ask the supervisor');
};
export const NO_SYSTEM: SystemRef = {
  startChild: unused,
  replaceSpec: unused,
  stopChild: unused,
  children: unused,
  tree: unused,
  metrics: unused,
  logLevels: unused,
  setLogLevel: unused,
  watch: unused,
  shutdown: unused,
};
