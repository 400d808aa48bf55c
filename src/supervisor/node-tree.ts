import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ActorId, ActorSpec, Backoff, Intensity, SupervisorSpec } from '../actors/kernel/protocol.js';
import type { ConfigSyncParams } from '../actors/config-sync/params.js';
import type { DiscoveryParams } from '../actors/discovery/params.js';
import type { HttpParams } from '../http/actor/protocol.js';
import type { PersistenceParams } from '../actors/persistence/params.js';
import type { RebalancerParams } from '../actors/rebalancer/params.js';
import type { TaskSettings } from '../actors/task/protocol.js';
import { threadHeap, type TaskMemory } from '../core/task-heap.js';
import type { Parameters } from '../core/parameters/parameters.js';
import { fileRules, type FileRules } from '../core/parameters/file-rules.js';
import { nodeModulesOf } from '../core/parameters/node-modules.js';
import { restUrl } from '../core/cluster/rest-url.js';
import type { LogActorParams, LogSettings } from '../actors/log/open.js';
import { memoryLimitBytes } from './memory-watch.js';
import type { SpareSpec } from './spare-threads.js';

const BACKOFF: Backoff = { minMs: 50, maxMs: 5000, jitter: 0.2 };
const START_MS = 60_000;
const STATE_START_MS = 600_000;
const STATE_BEATS = 6;
const COLD_START_FILES_MS = 300_000;
const INTENSITY: Intensity = { restarts: 10, periodMs: 60_000 };

/** What the tree is made from, besides the parameters. */
export interface NodeFacts {
  readonly version: string;
  /** That it was built from. */
  readonly commit?: string;
  /** That the parameters were read from. */
  readonly configFile?: string | null;
}

/**
 * The whole tree of a node, as data:
 *
 *     root  one_for_one
 *     ├─ http                  answers 503 with a reason while the runtime is down
 *     └─ runtime  rest_for_one in this order, so that a crash restarts only what depends on it
 *        ├─ log                owns the embedded store; not there with a log in RocketMQ
 *        ├─ discovery          membership and claims; losing it is losing the fence
 *        ├─ persistence        positions, offsets, the four files
 *        ├─ tasks  one_for_one one thread a task, by the rebalancer's word
 *        ├─ config-sync        connector configs, target states, task configs; planning
 *        └─ rebalancer
 */
export function nodeTree(parameters: Parameters, facts: NodeFacts): SupervisorSpec {
  const files = filesOf(parameters, facts);
  return supervisor('root', 'one_for_one', [
    actor('http', parameters, ['discovery', 'config-sync', 'rebalancer'], httpParams(parameters, facts)),
    supervisor('runtime', 'rest_for_one', [
      ...(parameters.namesrvAddr === null ? [actor('log', parameters, [], logParams(parameters))] : []),
      actor('discovery', parameters, ['log', 'rebalancer'], discoveryParams(parameters)),
      {
        ...actor('persistence', parameters, ['log'], persistenceParams(parameters)),
        // It reads and writes whole what all connectors have left, and runs no plugin's code that could hang.
        startDeadlineMs: STATE_START_MS,
        beatDeadlineMs: parameters.actorBeatTimeoutMs * STATE_BEATS,
      },
      supervisor('tasks', 'one_for_one', []),
      {
        ...actor(
          'config-sync',
          parameters,
          ['log', 'persistence', 'rebalancer'],
          configSyncParams(parameters, files),
        ),
        startDeadlineMs: START_MS + COLD_START_FILES_MS + parameters.coldStartWaitMs,
      },
      {
        ...actor(
          'rebalancer',
          parameters,
          ['log', 'discovery', 'config-sync'],
          rebalancerParams(parameters, files),
        ),
        // When the node stops it waits for the tasks.
        stopDeadlineMs: parameters.taskStopTimeoutMs + 5000,
      },
    ]),
  ]);
}

/** Threads to keep for tasks of other nodes; null: no other node can give this one a task. */
export function taskSpares(parameters: Parameters): SpareSpec | null {
  const { namesrvAddr, storePath, taskThreadsSpare } = parameters;
  if (namesrvAddr === null && storePath === null) return null;
  return {
    count: taskThreadsSpare,
    calmMs: 2000,
    ...taskCode(parameters),
    heap: threadHeap(taskMemory(parameters), undefined),
    loads: ['source', 'sink', ...(namesrvAddr === null ? [] : ['rocketmq'])],
  };
}

/** The thread's file is that of src/actors/task/thread.ts, made by scripts/bundle-threads.mjs. */
function taskCode({ namesrvAddr }: Parameters): RebalancerParams['taskCode'] {
  const log = namesrvAddr === null ? 'embedded' : 'rocketmq';
  return {
    module: moduleOf('task'),
    thread: new URL(`../threads/task-${log}.cjs`, import.meta.url).href,
  };
}

function taskMemory(parameters: Parameters): TaskMemory {
  return {
    heapMb: parameters.taskHeapMaxMb,
    softShare: parameters.taskHeapSoftLimit,
    ceilingMb: parameters.taskHeapCeilingMb,
    externalMb: parameters.taskExternalMaxMb,
  };
}

function moduleOf(actor: string): string {
  // The http actor lives beside the application that it serves.
  const folder = actor === 'http' ? 'http/actor' : `actors/${actor}`;
  return new URL(`../${folder}/behavior.js`, import.meta.url).href;
}

function supervisor(
  id: ActorId,
  strategy: SupervisorSpec['strategy'],
  children: SupervisorSpec['children'],
): SupervisorSpec {
  return {
    kind: 'supervisor',
    id,
    strategy,
    intensity: INTENSITY,
    restart: 'permanent',
    backoff: BACKOFF,
    children,
  };
}

function actor(id: ActorId, parameters: Parameters, peers: readonly ActorId[], params: object): ActorSpec {
  return {
    kind: 'actor',
    id,
    module: moduleOf(id),
    params,
    peers,
    restart: 'permanent',
    whenExhausted: 'escalate',
    backoff: BACKOFF,
    startDeadlineMs: START_MS,
    stopDeadlineMs: 10_000,
    beatDeadlineMs: parameters.actorBeatTimeoutMs,
    heap: { maxOldMb: parameters.actorHeapMaxMb, softLimit: 0.9 },
  };
}

function httpParams(parameters: Parameters, facts: NodeFacts): HttpParams {
  return {
    host: parameters.httpHost,
    port: parameters.httpPort,
    allowedHosts: parameters.httpAllowedHosts,
    legacy: parameters.restLegacy,
    maxBodyBytes: parameters.httpMaxBodyBytes,
    requestTimeoutMs: parameters.httpRequestTimeoutMs,
    defaultConverters: {
      keyConverter: parameters.keyConverter,
      valueConverter: parameters.valueConverter,
      headerConverter: parameters.headerConverter,
    },
    workerId: parameters.workerId,
    clusterId: parameters.connectClusterId,
    version: facts.version,
    ...(facts.commit === undefined ? {} : { commit: facts.commit }),
  };
}

/** Of the embedded log, which several nodes may share. */
export function storeFolder({ storePath, storePathRootDir }: Parameters): string {
  return storePath ?? `${storePathRootDir}/log`;
}

function logParams(parameters: Parameters): LogActorParams {
  return {
    dir: storeFolder(parameters),
    maxBytes: parameters.storeMaxBytes,
    cacheBytes: parameters.storeCacheBytes,
    retentionCheckMs: parameters.storeRetentionCheckMs,
    opened: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
  };
}

function logSettings(parameters: Parameters): LogSettings {
  const { namesrvAddr, aclEnable, accessKey, secretKey } = parameters;
  if (namesrvAddr === null) return { kind: 'embedded' };
  const acl =
    aclEnable && accessKey !== null && secretKey !== null
      ? { accessKey: accessKey.reveal(), secretKey: secretKey.reveal() }
      : null;
  const tls = { caFile: parameters.rocketmqTlsCaFile, verify: parameters.rocketmqTlsVerify };
  return {
    kind: 'rocketmq',
    cluster: {
      namesrvAddr: namesrvAddr.split(/[;,]/),
      // The client's package knows semicolons only.
      endpoints: parameters.rocketmqEndpoints?.replaceAll(',', ';') ?? null,
      cluster: parameters.rocketmqCluster,
      acl,
      tls: parameters.rocketmqTlsEnable ? tls : null,
      maxMessageBytes: parameters.rocketmqMaxMessageBytes,
    },
  };
}

function discoveryParams(parameters: Parameters): DiscoveryParams {
  return {
    workerId: parameters.workerId,
    process: randomUUID(),
    logSettings: logSettings(parameters),
    restUrl: restUrl(parameters.httpHost, parameters.httpPort),
    topic: parameters.clusterStoreTopic,
    heartbeatMs: parameters.heartbeatIntervalMs,
    leaseMs: parameters.leaseMs,
    evictionMs: parameters.evictionTimeoutMs,
  };
}

function persistenceParams(parameters: Parameters): PersistenceParams {
  return {
    workerId: parameters.workerId,
    logSettings: logSettings(parameters),
    dir: parameters.storePathRootDir,
    positionTopic: parameters.positionStoreTopic,
    offsetTopic: parameters.offsetStoreTopic,
    configIntervalMs: parameters.configPersistInterval,
    positionIntervalMs: parameters.positionPersistInterval,
    offsetIntervalMs: parameters.offsetPersistInterval,
    ownTopics: ownTopics(parameters),
    maxPartitions: parameters.sourcePartitionsMax,
    maxLeft: parameters.deletedProgressMax,
  };
}

function configSyncParams(parameters: Parameters, files: FileRules): ConfigSyncParams {
  return {
    workerId: parameters.workerId,
    logSettings: logSettings(parameters),
    topic: parameters.configStoreTopic,
    ownTopics: ownTopics(parameters),
    pluginPaths: parameters.pluginPaths,
    installedPlugins: installedPlugins(parameters),
    files,
    keyConverter: parameters.keyConverter,
    valueConverter: parameters.valueConverter,
    headerConverter: parameters.headerConverter,
    unknownKeys: parameters.configUnknownKeys,
    topicTracking: {
      enabled: parameters.topicTrackingEnable,
      mayReset: parameters.topicTrackingAllowReset,
    },
    planningTimeoutMs: parameters.planningTimeoutMs,
    planningThreads: parameters.planningThreadsMax,
    nodeMemoryBytes: memoryLimitBytes(parameters.nodeMemoryMaxMb),
    connectorsDir: parameters.connectorsDir,
    storeDir: parameters.storePathRootDir,
    secretProviders: secretProviders(parameters),
    coldStartFilesMs: COLD_START_FILES_MS,
    coldStartWaitMs: parameters.coldStartWaitMs,
  };
}

function filesOf(parameters: Parameters, { configFile }: NodeFacts): FileRules {
  return fileRules(parameters, {
    folder: fileURLToPath(new URL('..', import.meta.url)),
    configFile: configFile === undefined || configFile === null ? null : resolve(configFile),
  });
}

function installedPlugins(parameters: Parameters): string | null {
  if (!parameters.pluginsInstalledEnable) return null;
  return nodeModulesOf(fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, ''));
}

function secretProviders(parameters: Parameters): ConfigSyncParams['secretProviders'] {
  return {
    env: parameters.configProvidersEnvAllow,
    folders: parameters.configProvidersFilePaths,
    scopes: parameters.configProvidersScopes,
    plugins: parameters.providerSettings,
  };
}

function ownTopics(parameters: Parameters): readonly string[] {
  const { clusterStoreTopic, configStoreTopic, positionStoreTopic, offsetStoreTopic } = parameters;
  return [clusterStoreTopic, configStoreTopic, positionStoreTopic, offsetStoreTopic];
}

function rebalancerParams(parameters: Parameters, files: FileRules): RebalancerParams {
  const settings: TaskSettings = {
    logSettings: logSettings(parameters),
    pluginPaths: parameters.pluginPaths,
    files,
    secretProviders: secretProviders(parameters),
    positionTopic: parameters.positionStoreTopic,
    offsetTopic: parameters.offsetStoreTopic,
    ownTopics: ownTopics(parameters),
    keyConverter: parameters.keyConverter,
    valueConverter: parameters.valueConverter,
    headerConverter: parameters.headerConverter,
    stallTimeoutMs: parameters.taskStallTimeoutMs,
    stopTimeoutMs: parameters.taskStopTimeoutMs,
    offsetFlushIntervalMs: parameters.offsetFlushIntervalMs,
    topicCreation: parameters.topicCreationEnable,
    topicQueues: parameters.topicQueues,
    topicRetentionMs: parameters.topicRetentionMs,
    topicRetentionBytes: parameters.topicRetentionBytes,
  };
  return {
    settings,
    installedPlugins: installedPlugins(parameters),
    quarantine: { deaths: parameters.quarantineDeaths, periodMs: parameters.quarantinePeriodMs },
    maxMoves: parameters.rebalanceMovesMax,
    taskCode: taskCode(parameters),
    startDeadlineMs: parameters.taskStartTimeoutMs,
    stopDeadlineMs: parameters.taskStopTimeoutMs,
    beatDeadlineMs: parameters.actorBeatTimeoutMs,
    memory: taskMemory(parameters),
    passivateAfterMs: parameters.taskPassivateAfterMs,
    intensity: {
      restarts: parameters.taskRestartMax,
      periodMs: parameters.taskRestartPeriodMs,
    },
    backoff: {
      minMs: parameters.taskRestartBackoffMinMs,
      maxMs: parameters.taskRestartBackoffMaxMs,
      jitter: 0.2,
    },
  };
}
