import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectorHealth } from '#troupe/http/health.js';
import type { ConnectorStatus, TaskStateInfo } from '#troupe/http/status.js';

function status(
  tasks: readonly Partial<TaskStateInfo>[],
  connector: ConnectorStatus['connector']['state'] = 'RUNNING',
): ConnectorStatus {
  return {
    name: 'my orders',
    type: 'sink',
    connector: { state: connector, worker_id: 'n' },
    tasks: tasks.map((task, id) => ({ id, state: 'RUNNING', worker_id: 'n', ...task })),
  };
}

const FAILED = { state: 'FAILED', trace: 'DB_DOWN: no database\n  at put' } as const;
const SINCE = Date.UTC(2026, 0, 1);

for (const [what, given, state, message] of [
  ['that runs', status([{}, {}]), 'healthy', /its 2 tasks run/],
  ['that skips records', status([{}, { skipped: 3 }]), 'degraded', /task 1 has skipped 3 bad records/],
  ['with a note', status([{ notes: [{ code: 'X', since: 1, message: 'look' }] }]), 'degraded', /look/],
  [
    'that waits for its system',
    status([{ stalled: { since: SINCE, call: 'put', cause: 'busy' } }]),
    'degraded',
    /task 0 waits in put since 2026-01-01T00:00:00.000Z, which fails: busy/,
  ],
  [
    'of which one task failed',
    status([{}, FAILED]),
    'degraded',
    /1 of 2 tasks failed; task 1: DB_DOWN: no database$/,
  ],
  ['of which all failed', status([FAILED]), 'failed', /its task failed; task 0: DB_DOWN: no database$/],
  [
    'that starts again',
    status([{ ...FAILED, state: 'RESTARTING', restart: { at: SINCE, left: 4 } }]),
    'failing',
    /no database; it is started again at 2026-01-01T00:00:00.000Z, 4 more starts are left/,
  ],
  ['that was told to restart', status([{ state: 'RESTARTING' }]), 'starting', /is being restarted/],
  ['that cannot be planned', status([], 'FAILED'), 'failed', /cannot be planned/],
  ['that nobody runs', status([{ state: 'UNASSIGNED' }]), 'starting', /no node runs its task yet/],
  ['that is paused', status([{ state: 'PAUSED' }], 'PAUSED'), 'paused', /paused/],
  ['that is stopped', status([], 'STOPPED'), 'stopped', /stopped/],
  [
    'that refused a config',
    status([{ config: { running: 1, refused: 2, reason: 'no such class' } }]),
    'degraded',
    /cannot take over.*no such class/,
  ],
] as const)
  test(`the health of a connector ${what} says so in a line, and what to do`, () => {
    const health = connectorHealth(given);
    assert.equal(health.state, state);
    assert.match(health.message, message);
    assert.ok(!health.message.includes('\n'));
    assert.equal(health.action === null, state === 'healthy' || what === 'that was told to restart');
    if (state === 'failed') assert.match(health.action ?? '', /POST \/connectors\/my%20orders\/restart/);
  });
