import type { ActorId, ActorSpec, Backoff, Intensity, SupervisorSpec } from '../actors/kernel/protocol.js';
import type { ConfigSyncParams } from '../actors/config-sync/params.js';
import type { DiscoveryParams } from '../actors/discovery/params.js';
import type { HttpParams } from '../actors/http/protocol.js';
import type { PersistenceParams } from '../actors/persistence/params.js';
import type { RebalancerParams } from '../actors/rebalancer/params.js';
import type { TaskSettings } from '../actors/task/protocol.js';
import type { Parameters } from '../core/parameters.js';
import type { LogActorParams } from '../log/open.js';

const BACKOFF: Backoff = { minMs: 50, maxMs: 5000, jitter: 0.2 };
const INTENSITY: Intensity = { restarts: 10, periodMs: 60_000 };

/** What the tree is made from, besides the parameters. */
export interface NodeFacts {
  readonly version: string;
}

/**
 * The whole tree of a node, as data:
 *
 *     root  one_for_one
 *     ├─ http                  answers 503 with a reason while the runtime is down
 *     └─ runtime  rest_for_one in this order, so that a crash restarts only what depends on it
 *        ├─ log                owns the embedded store
 *        ├─ discovery          membership and claims; losing it is losing the fence
 *        ├─ persistence        positions, offsets, the four files
 *        ├─ tasks  one_for_one one thread a task, by the rebalancer's word
 *        ├─ config-sync        connector configs, target states, task configs; planning
 *        └─ rebalancer
 */
export function nodeTree(parameters: Parameters, facts: NodeFacts): SupervisorSpec {
  return supervisor('root', 'one_for_one', [
    actor(
      'http',
      parameters,
      ['discovery', 'config-sync', 'persistence', 'rebalancer'],
      httpParams(parameters, facts),
    ),
    supervisor('runtime', 'rest_for_one', [
      actor('log', parameters, [], logParams(parameters)),
      actor('discovery', parameters, ['log', 'rebalancer'], discoveryParams(parameters)),
      actor('persistence', parameters, ['log'], persistenceParams(parameters)),
      supervisor('tasks', 'one_for_one', []),
      actor('config-sync', parameters, ['log', 'persistence', 'rebalancer'], configSyncParams(parameters)),
      actor('rebalancer', parameters, ['discovery', 'config-sync'], rebalancerParams(parameters)),
    ]),
  ]);
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
    module: new URL(`../actors/${id}/behavior.js`, import.meta.url).href,
    params,
    peers,
    restart: 'permanent',
    whenExhausted: 'escalate',
    backoff: BACKOFF,
    startDeadlineMs: 60_000,
    stopDeadlineMs: 10_000,
    beatDeadlineMs: parameters.actorBeatTimeoutMs,
    heap: { maxOldMb: 256, softLimit: 0.9 },
  };
}

function httpParams(parameters: Parameters, facts: NodeFacts): HttpParams {
  return {
    host: parameters.httpHost,
    port: parameters.httpPort,
    allowedHosts: parameters.httpAllowedHosts,
    maxBodyBytes: parameters.httpMaxBodyBytes,
    requestTimeoutMs: parameters.httpRequestTimeoutMs,
    workerId: parameters.workerId,
    clusterId: parameters.connectClusterId,
    version: facts.version,
  };
}

function logParams(parameters: Parameters): LogActorParams {
  return {
    dir: `${parameters.storePathRootDir}/log`,
    maxBytes: parameters.storeMaxBytes,
    cacheBytes: parameters.storeCacheBytes,
    retentionCheckMs: parameters.storeRetentionCheckMs,
  };
}

function discoveryParams(parameters: Parameters): DiscoveryParams {
  return {
    workerId: parameters.workerId,
    restUrl: `http://${parameters.httpHost}:${parameters.httpPort}`,
    topic: parameters.clusterStoreTopic,
    heartbeatMs: parameters.heartbeatIntervalMs,
    leaseMs: parameters.leaseMs,
    evictionMs: parameters.evictionTimeoutMs,
  };
}

function persistenceParams(parameters: Parameters): PersistenceParams {
  return {
    workerId: parameters.workerId,
    dir: parameters.storePathRootDir,
    positionTopic: parameters.positionStoreTopic,
    offsetTopic: parameters.offsetStoreTopic,
    configIntervalMs: parameters.configPersistInterval,
    positionIntervalMs: parameters.positionPersistInterval,
    offsetIntervalMs: parameters.offsetPersistInterval,
  };
}

function configSyncParams(parameters: Parameters): ConfigSyncParams {
  return {
    workerId: parameters.workerId,
    topic: parameters.configStoreTopic,
    pluginPaths: parameters.pluginPaths,
    keyConverter: parameters.keyConverter,
    valueConverter: parameters.valueConverter,
    planningTimeoutMs: parameters.planningTimeoutMs,
    planningThreads: parameters.planningThreadsMax,
    connectorsDir: parameters.connectorsDir,
    storeDir: parameters.storePathRootDir,
  };
}

function rebalancerParams(parameters: Parameters): RebalancerParams {
  const settings: TaskSettings = {
    pluginPaths: parameters.pluginPaths,
    positionTopic: parameters.positionStoreTopic,
    offsetTopic: parameters.offsetStoreTopic,
    keyConverter: parameters.keyConverter,
    valueConverter: parameters.valueConverter,
    stallTimeoutMs: parameters.taskStallTimeoutMs,
    offsetFlushIntervalMs: parameters.offsetFlushIntervalMs,
    topicCreation: parameters.topicCreationEnable,
    topicQueues: parameters.topicQueues,
    topicRetentionMs: parameters.topicRetentionMs,
    topicRetentionBytes: parameters.topicRetentionBytes,
  };
  return {
    settings,
    startDeadlineMs: parameters.taskStartTimeoutMs,
    stopDeadlineMs: parameters.taskStopTimeoutMs,
    beatDeadlineMs: parameters.actorBeatTimeoutMs,
    heap: { maxOldMb: parameters.taskHeapMaxMb, softLimit: parameters.taskHeapSoftLimit },
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
