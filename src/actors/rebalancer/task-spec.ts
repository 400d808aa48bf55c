import { threadHeap } from '../../core/task-heap.js';
import { parseUnitKey, type ConnectorEntry, type NodeRef, type UnitKey } from '../../core/model.js';
import { TOO_MANY_PARTITIONS } from '../../core/progress/too-many-partitions.js';
import type { ActorSpec } from '../kernel/protocol.js';
import type { TaskParams } from '../task/protocol.js';
import type { RebalancerParams } from './params.js';

/**
 * Somebody has deleted a topic of the task: a start would make an empty one in its place, and nobody would notice. Or its
 * connector has more positions than it may: another start would add to them.
 */
const FINAL_ERRORS = ['LOG_UNKNOWN_TOPIC', TOO_MANY_PARTITIONS];

export interface TaskStart {
  readonly unit: UnitKey;
  readonly epoch: number;
  readonly generation: number;
  readonly node: NodeRef;
}

/**
 * The thread of one task; null when the connector has no such task (any more).
 * @param installed folders of packages with plugins, besides those of the parameters
 */
export function taskSpec(
  start: TaskStart,
  entry: ConnectorEntry,
  node: RebalancerParams,
  installed: readonly string[] = [],
): (ActorSpec & { readonly params: TaskParams }) | null {
  const index = parseUnitKey(start.unit).task;
  const own = index === null ? undefined : entry.tasks?.configs[index];
  if (own === undefined) return null;
  const config = { ...entry.config, ...own };
  return {
    kind: 'actor',
    id: start.unit,
    ...node.taskCode,
    params: {
      ...start,
      taskCount: entry.tasks?.configs.length ?? 1,
      config,
      settings: { ...node.settings, pluginPaths: [...node.settings.pluginPaths, ...installed] },
    },
    peers: ['log', 'persistence', 'rebalancer'],
    restart: 'transient',
    intensity: node.intensity,
    whenExhausted: 'giveUp',
    backoff: node.backoff,
    finalErrors: FINAL_ERRORS,
    startDeadlineMs: node.startDeadlineMs,
    stopDeadlineMs: node.stopDeadlineMs,
    beatDeadlineMs: node.beatDeadlineMs,
    heap: threadHeap(node.memory, config['task.heap.max.mb']),
  };
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
