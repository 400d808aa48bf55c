import { passivateAfterMs } from '../../core/cluster/passivation.js';
import { taskLoggers } from '../../core/logger-levels.js';
import { threadHeap } from '../../core/task-heap.js';
import { taskRestarts } from '../../core/task-restarts.js';
import { parseUnitKey, type ConnectorEntry, type NodeRef, type UnitKey } from '../../core/model.js';
import { TOO_MANY_PARTITIONS } from '../../core/progress/too-many-partitions.js';
import type { ActorSpec } from '../kernel/protocol.js';
import type { TaskParams } from '../task/protocol.js';
import type { RebalancerParams } from './params.js';
import type { PlannedConfig } from './protocol.js';

/**
 * Somebody has deleted a topic of the task: a start would make an empty one in its place, and nobody would notice. Or its
 * connector has more positions than it may: another start would add to them.
 */
const FINAL_ERRORS = ['LOG_UNKNOWN_TOPIC', TOO_MANY_PARTITIONS];

/** What a task is started for. */
export interface TaskStart {
  readonly unit: UnitKey;
  readonly epoch: number;
  readonly generation: number;
  readonly node: NodeRef;
}

/**
 * What one task is started with; null when the connector has no such task (any more).
 * @param alive tasks of the node that have a thread
 * @param installed folders of packages with plugins, besides those of the parameters
 */
export function taskParams(
  start: TaskStart,
  entry: ConnectorEntry,
  node: Pick<RebalancerParams, 'settings' | 'passivateAfterMs'>,
  { alive, installed = [] }: { readonly alive: number; readonly installed?: readonly string[] },
): TaskParams | null {
  const planned = plannedConfig(start.unit, entry);
  if (planned === null) return null;
  const { config, version } = planned;
  return {
    ...start,
    taskCount: entry.tasks?.configs.length ?? 1,
    passivateAfterMs: restsAfterMs(node, config, alive, Infinity),
    config,
    version,
    settings: { ...node.settings, pluginPaths: [...node.settings.pluginPaths, ...installed] },
  };
}

/** What one task is to run with, as planned; null when the connector has no such task (any more). */
export function plannedConfig(unit: UnitKey, { config, tasks }: ConnectorEntry): PlannedConfig | null {
  const { task } = parseUnitKey(unit);
  const own = task === null ? undefined : tasks?.configs[task];
  if (tasks === null || own === undefined) return null;
  return { config: { ...config, ...own }, version: tasks.connectorVersion };
}

/** Its thread. */
export function taskSpec(params: TaskParams, node: RebalancerParams): ActorSpec {
  return {
    kind: 'actor',
    id: params.unit,
    ...node.taskCode,
    codeKind: params.config['connector.class'] ?? params.config['connector-class'] ?? '',
    params,
    peers: ['log', 'persistence', 'rebalancer'],
    loggers: taskLoggers(params.unit, params.config),
    restart: 'transient',
    ...taskRestarts(node, params.config),
    whenExhausted: 'giveUp',
    finalErrors: FINAL_ERRORS,
    startDeadlineMs: node.startDeadlineMs,
    stopDeadlineMs: node.stopDeadlineMs,
    beatDeadlineMs: node.beatDeadlineMs,
    heap: threadHeap(node.memory, params.config['task.heap.max.mb']),
  };
}

/** The connector's own, where it has one; what is no number was refused when it was made. */
export function restsAfterMs(
  node: Pick<RebalancerParams, 'passivateAfterMs'>,
  config: TaskParams['config'],
  alive: number,
  restedMs: number,
): number {
  const own = config['task.passivate.after.ms'];
  const configured = own !== undefined && /^\d+$/.test(own) ? Number(own) : node.passivateAfterMs;
  return passivateAfterMs(configured, alive, restedMs);
}

/** What the supervisor gives back was put there by `taskSpec`, perhaps of an earlier incarnation of this actor. */
export function isTaskParams(value: unknown): value is TaskParams {
  return (
    typeof value === 'object' &&
    value !== null &&
    'unit' in value &&
    'epoch' in value &&
    'generation' in value
  );
}
