/** Checks between parameters; those of one value alone stand in parameters-value.ts. */
import { parseScope } from '../secret-scopes.js';
import type { ParameterKey, Parameters } from './parameters-table.js';

interface Check {
  readonly keys: readonly ParameterKey[];
  /** What is wrong, or null. */
  readonly problem: (parameters: Parameters) => string | null;
}

/** `wrong` when the smaller is not below the larger. */
function below(smaller: number, larger: number, wrong: string): string | null {
  return smaller < larger ? null : wrong;
}

const CHECKS: readonly Check[] = [
  {
    keys: ['config.providers.scopes'],
    problem: ({ configProvidersScopes: scopes, providerSettings }) => {
      // One of a provider that is not there would keep nothing from anybody.
      const providers = ['env', 'file', ...providerSettings.map(({ name }) => name)];
      const bad = scopes.find((scope) => !providers.includes(parseScope(scope)?.provider ?? ''));
      return bad === undefined
        ? null
        : `config.providers.scopes holds "${bad.slice(0, 200)}", which is neither connector=env:NAME nor connector=file:/absolute/path, nor connector=NAME:path of a plugin in config.providers`;
    },
  },
  {
    keys: ['heartbeat.interval.ms', 'lease.ms'],
    problem: (p) =>
      below(
        p.heartbeatIntervalMs,
        p.leaseMs,
        `heartbeat.interval.ms (${p.heartbeatIntervalMs}) must be less than lease.ms (${p.leaseMs}): else a healthy node suspends its tasks between two heartbeats`,
      ),
  },
  {
    keys: ['lease.ms', 'eviction.timeout.ms'],
    problem: (p) =>
      below(
        p.leaseMs,
        p.evictionTimeoutMs,
        `lease.ms (${p.leaseMs}) must be less than eviction.timeout.ms (${p.evictionTimeoutMs}): else two nodes may run one task`,
      ),
  },
  {
    keys: ['task.restart.backoff.min.ms', 'task.restart.backoff.max.ms'],
    problem: (p) =>
      below(
        p.taskRestartBackoffMinMs,
        p.taskRestartBackoffMaxMs + 1,
        `task.restart.backoff.min.ms (${p.taskRestartBackoffMinMs}) must not be more than task.restart.backoff.max.ms (${p.taskRestartBackoffMaxMs})`,
      ),
  },
  {
    keys: ['planning.timeout.ms', 'http.request.timeout.ms'],
    problem: (p) =>
      below(
        p.planningTimeoutMs,
        p.httpRequestTimeoutMs,
        `planning.timeout.ms (${p.planningTimeoutMs}) must be less than http.request.timeout.ms (${p.httpRequestTimeoutMs}): else the request ends before its answer`,
      ),
  },
  {
    keys: ['store.cache.bytes', 'store.max.bytes'],
    problem: (p) =>
      below(
        p.storeCacheBytes,
        p.storeMaxBytes,
        `store.cache.bytes (${p.storeCacheBytes}) must be less than store.max.bytes (${p.storeMaxBytes})`,
      ),
  },
  {
    keys: ['clusterStoreTopic', 'configStoreTopic', 'positionStoreTopic', 'offsetStoreTopic'],
    problem: (p) => {
      const topics = [p.clusterStoreTopic, p.configStoreTopic, p.positionStoreTopic, p.offsetStoreTopic];
      const twice = topics.find((topic, i) => topics.indexOf(topic) !== i);
      return twice === undefined
        ? null
        : `clusterStoreTopic, configStoreTopic, positionStoreTopic and offsetStoreTopic must be four topics: ${twice} stands twice`;
    },
  },
  {
    keys: ['aclEnable', 'accessKey', 'secretKey'],
    problem: (p) =>
      p.aclEnable && (p.accessKey === null || p.secretKey === null)
        ? 'aclEnable=true needs both accessKey and secretKey'
        : null,
  },
  {
    keys: ['namesrvAddr', 'rocketmq.endpoints'],
    problem: (p) =>
      p.rocketmqEndpoints !== null && p.namesrvAddr === null
        ? 'rocketmq.endpoints needs namesrvAddr: without it the node has the embedded log'
        : null,
  },
  {
    keys: ['namesrvAddr', 'store.path'],
    problem: (p) =>
      p.storePath !== null && p.namesrvAddr !== null
        ? 'store.path is for the embedded log, namesrvAddr for one in RocketMQ: remove one of them'
        : null,
  },
  {
    keys: ['namesrvAddr', 'clusterStoreTopic', 'configStoreTopic', 'positionStoreTopic', 'offsetStoreTopic'],
    problem: (p) => {
      const topics = [p.clusterStoreTopic, p.configStoreTopic, p.positionStoreTopic, p.offsetStoreTopic];
      const dotted = topics.find((topic) => topic.includes('.'));
      return p.namesrvAddr === null || dotted === undefined
        ? null
        : `${dotted} cannot name a topic in RocketMQ: dots are not allowed there`;
    },
  },
];

/** Checks that involve a `bad` key are left out: its error is reported already. */
export function checkParameters(parameters: Parameters, bad: ReadonlySet<string>): string[] {
  return CHECKS.filter((check) => !check.keys.some((key) => bad.has(key)))
    .map((check) => check.problem(parameters))
    .filter((problem) => problem !== null)
    .map((problem) => `CONFLICTING_PARAMETERS: ${problem}`);
}
