import assert from 'node:assert/strict';
import test from 'node:test';

import type { ClusterView } from '#troupe/actors/discovery/protocol.js';
import type { Claim, ConnectorEntry, TargetState, UnitState, UnitStatus } from '#troupe/core/model.js';
import { connectorStatus, indexUnits, restarting, type ConnectorStatus } from '#troupe/http/status.js';

const SELF = { id: 'w1', incarnation: 'i' };

function entry(tasks: number | null, targetState: TargetState = 'RUNNING', name = 'c'): ConnectorEntry {
  const set =
    tasks === null
      ? null
      : { connectorVersion: 1, generation: 1, configs: Array.from({ length: tasks }, () => ({})) };
  return { name, config: {}, targetState, version: 1, restart: null, tasks: set };
}

function claim(unit: string, epoch = 1): Claim {
  return { unit, node: SELF, epoch, generation: 1 };
}

function seen(unit: string, state: UnitState, more: Partial<UnitStatus> = {}): UnitStatus {
  return { unit, node: SELF, epoch: 1, state, trace: null, stalled: null, ...more };
}

function view(claims: readonly Claim[], statuses: readonly UnitStatus[]): ClusterView {
  return { self: SELF, members: [], drained: [], claims, statuses, digest: '', offset: 0 };
}

function status(
  of: ConnectorEntry,
  claims: readonly Claim[],
  statuses: readonly UnitStatus[],
): ConnectorStatus {
  return connectorStatus(of, indexUnits(view(claims, statuses)), { type: 'source', version: null });
}

const FREE = { state: 'UNASSIGNED', worker_id: '' };

test('a connector that nobody runs yet is unassigned, and so are its tasks', () => {
  assert.deepEqual(status(entry(1), [], []), {
    name: 'c',
    connector: FREE,
    tasks: [{ id: 0, ...FREE }],
    type: 'source',
  });
});

test('a connector that was not planned yet has no tasks', () => {
  assert.deepEqual(status(entry(null), [claim('c')], []).tasks, []);
});

test('a claimed task that has not spoken yet is unassigned, with its worker', () => {
  assert.deepEqual(status(entry(1), [claim('c/0')], []).tasks, [
    { id: 0, state: 'UNASSIGNED', worker_id: 'w1' },
  ]);
});

test('what is asked to restart is RESTARTING until it is claimed for that: what its last run says is over', () => {
  const restarts = { connector: 7, tasks: { 1: 8 } };
  const of = (generation: number, targetState: ConnectorEntry['targetState'] = 'RUNNING') => {
    const units = ['c', 'c/0', 'c/1'];
    const claims = units.map((unit) => ({ ...claim(unit), generation }));
    const statuses = units.map((unit) => seen(unit, 'RUNNING'));
    const { connector, tasks } = status({ ...entry(2), restarts, targetState }, claims, statuses);
    return [connector.state, ...tasks.map(({ state }) => state)];
  };
  assert.deepEqual(of(6), ['RESTARTING', 'RUNNING', 'RESTARTING']);
  assert.deepEqual(of(7), ['RUNNING', 'RUNNING', 'RESTARTING']);
  assert.deepEqual(of(8), ['RUNNING', 'RUNNING', 'RUNNING']);
  assert.deepEqual(of(6, 'PAUSED'), ['PAUSED', 'RUNNING', 'RUNNING']);
});

test('the word of an owner before the present one does not count', () => {
  const before = [seen('c/0', 'FAILED', { trace: 'old', node: { id: 'w0', incarnation: 'x' } })];
  assert.deepEqual(status(entry(1), [claim('c/0', 2)], before).tasks, [
    { id: 0, state: 'UNASSIGNED', worker_id: 'w1' },
  ]);
});

test('a task whose owner was evicted is unassigned, though its last word was RUNNING', () => {
  assert.deepEqual(status(entry(1), [], [seen('c/0', 'RUNNING')]).tasks, [{ id: 0, ...FREE }]);
});

test('a failure is told with its trace, also when nobody claims the task any more', () => {
  const failed = { id: 0, state: 'FAILED', worker_id: 'w1', trace: 'Error: x' };
  const statuses = [seen('c/0', 'FAILED', { trace: 'Error: x' })];
  assert.deepEqual(status(entry(1), [claim('c/0')], statuses).tasks, [failed]);
  assert.deepEqual(status(entry(1), [], statuses).tasks, [failed]);
});

test('a stalled task says since when and in which call', () => {
  const stalled = { since: 1_700_000_000_000, call: 'poll' };
  const tasks = status(entry(1), [claim('c/0')], [seen('c/0', 'RUNNING', { stalled })]).tasks;
  assert.deepEqual(tasks, [{ id: 0, state: 'RUNNING', worker_id: 'w1', stalled }]);
});

test('what is wanted and what is seen make the state of the connector', () => {
  const rows: readonly (readonly [wanted: TargetState, seen: UnitState, told: UnitState])[] = [
    ['RUNNING', 'RUNNING', 'RUNNING'],
    ['RUNNING', 'PAUSED', 'RUNNING'],
    ['RUNNING', 'STOPPED', 'RUNNING'],
    ['RUNNING', 'FAILED', 'FAILED'],
    ['RUNNING', 'UNASSIGNED', 'UNASSIGNED'],
    ['PAUSED', 'RUNNING', 'PAUSED'],
    ['PAUSED', 'FAILED', 'FAILED'],
    ['PAUSED', 'RESTARTING', 'RESTARTING'],
    ['STOPPED', 'RUNNING', 'STOPPED'],
    ['STOPPED', 'FAILED', 'STOPPED'],
  ];
  for (const [wanted, observed, told] of rows) {
    const { connector } = status(entry(0, wanted), [claim('c')], [seen('c', observed)]);
    assert.equal(connector.state, told, `${wanted} and ${observed}`);
  }
});

test('a stopped connector shows only the tasks that are still being stopped', () => {
  const stopped = status(
    entry(2, 'STOPPED'),
    [claim('c/1')],
    [seen('c/0', 'RUNNING'), seen('c/1', 'RUNNING')],
  );
  assert.deepEqual(stopped.tasks, [{ id: 1, state: 'RUNNING', worker_id: 'w1' }]);
});

test('what is being restarted shows it, without its old trace', () => {
  const claims = [claim('c'), claim('c/0'), claim('c/1')];
  const before = status(entry(2), claims, [
    seen('c', 'RUNNING'),
    seen('c/0', 'RUNNING'),
    seen('c/1', 'FAILED', { trace: 'x' }),
  ]);
  assert.deepEqual(restarting(before, false, [1]), {
    ...before,
    tasks: [before.tasks[0], { id: 1, state: 'RESTARTING', worker_id: 'w1' }],
  });
});

test('a stopped connector stays stopped when it is restarted', () => {
  const stopped = status(entry(1, 'STOPPED'), [], []);
  assert.deepEqual(restarting(stopped, true, []), stopped);
});
