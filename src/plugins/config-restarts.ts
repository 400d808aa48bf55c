/** How often, and how soon, the tasks of a connector are started again when they fail: core/task-restarts.ts. */
import type { ConfigDefinition, ConfigKey } from '../sdk/config.js';

const GROUP = 'Restarts';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function restartKey(
  orderInGroup: number,
  name: string,
  [min, max]: readonly [number, number],
  displayName: string,
  documentation: string,
): ConfigKey {
  return {
    name,
    type: 'INT',
    defaultValue: null,
    min,
    max,
    importance: 'LOW',
    documentation: `${documentation}, instead of the node's \`${name}\`.`,
    group: GROUP,
    width: 'SHORT',
    displayName,
    orderInGroup,
  };
}

export const RESTARTS: ConfigDefinition = [
  restartKey(
    1,
    'task.restart.max',
    [0, 1_000_000],
    'Most restarts',
    'How often a task of this connector may fail within `task.restart.period.ms` and start again by itself; beyond it, it stays FAILED. 0: the first fault is the last',
  ),
  restartKey(
    2,
    'task.restart.period.ms',
    [1000, DAY_MS],
    'Period of restarts (ms)',
    'The period of `task.restart.max`, in milliseconds',
  ),
  restartKey(
    3,
    'task.restart.backoff.min.ms',
    [1, HOUR_MS],
    'First wait (ms)',
    'Wait before the first restart of a task, in milliseconds; each further one waits twice as long',
  ),
  restartKey(
    4,
    'task.restart.backoff.max.ms',
    [1, HOUR_MS],
    'Longest wait (ms)',
    'Longest wait before a restart of a task, in milliseconds',
  ),
];
