import assert from 'node:assert/strict';
import test from 'node:test';
import { clusterMachine, type ClusterEntry } from '#troupe/core/cluster/cluster-machine.js';
import { configMachine, type ConfigEntry } from '#troupe/core/connectors/config-machine.js';
import { ClusterEvents } from '#troupe/core/cluster/cluster-events.js';
import { ConfigEvents } from '#troupe/core/connectors/config-events.js';
import type { RuntimeEvent } from '#troupe/core/event.js';

const told = ({ event, connector, data }: RuntimeEvent): unknown => [event, connector, data];

test('what users do to a connector is told, once each, without values', () => {
  const events = new ConfigEvents();
  const state = configMachine.initial();
  events.begin(state.connectors.values());
  let offset = 10;
  const apply = (entry: ConfigEntry): unknown[] => {
    const meta = { offset: offset++, timestamp: 5, writer: { node: 'n', incarnation: 'i' } };
    return events.of(entry, configMachine.apply(state, entry, meta).result, meta).map(told);
  };
  const name = 'c';
  const config = { a: '1', password: 'hunter2' };
  assert.deepEqual(apply({ type: 'CONNECTOR', name, config, initialState: 'PAUSED' }), [
    ['created', 'c', { state: 'PAUSED', version: 10 }],
  ]);
  assert.deepEqual(apply({ type: 'CONNECTOR', name, config }), [], 'the same once more');
  assert.deepEqual(apply({ type: 'CONNECTOR', name, config: { password: 'x', b: '2' } }), [
    ['config', 'c', { version: 12, keys: ['a', 'b', 'password'] }],
  ]);
  assert.deepEqual(apply({ type: 'TARGET', name, state: 'RUNNING' }), [
    ['target', 'c', { state: 'RUNNING' }],
  ]);
  assert.deepEqual(apply({ type: 'TARGET', name, state: 'RUNNING' }), []);
  assert.deepEqual(apply({ type: 'TASKS', name, connectorVersion: 12, configs: [{}, {}] }), [
    ['planned', 'c', { tasks: 2, version: 12 }],
  ]);
  assert.deepEqual(
    apply({ type: 'TASKS', name, connectorVersion: 12, configs: [{}, {}] }),
    [],
    'the same plan',
  );
  assert.deepEqual(apply({ type: 'TASKS', name, connectorVersion: 11, configs: [] }), [], 'it is stale');
  assert.deepEqual(apply({ type: 'RESTART', name, connector: true, tasks: [1] }), [
    ['restart', 'c', { connector_restarts: true, tasks: [1] }],
  ]);
  assert.deepEqual(apply({ type: 'DELETE', name }), [['deleted', 'c', {}]]);
  assert.deepEqual(apply({ type: 'DELETE', name }), []);
});

test('a task that runs, fails, and moves to another node as its own has died', () => {
  const events = new ClusterEvents();
  let { state } = { state: clusterMachine.initial() };
  events.begin(state);
  let offset = 0;
  const apply = (node: string, entry: ClusterEntry): unknown[] => {
    const meta = { offset: offset++, timestamp: 5, writer: { node, incarnation: node } };
    const applied = clusterMachine.apply(state, entry, meta);
    ({ state } = applied);
    return events.of(entry, applied.result, meta, state).map(told);
  };
  const online = (id: string): ClusterEntry => ({
    type: 'ONLINE',
    member: { id, incarnation: id, restUrl: '', joinedAt: 0, heartbeatAt: 0 },
  });
  const status = (node: string, epoch: number, of: 'RUNNING' | 'FAILED', notes = 0): ClusterEntry => ({
    type: 'STATUS',
    status: {
      unit: 'c/0',
      node: { id: node, incarnation: node },
      epoch,
      state: of,
      trace: of === 'FAILED' ? 'boom' : null,
      stalled: null,
      skipped: notes,
    },
  });
  const nowhere = { state: 'UNASSIGNED', worker_id: '' };
  const onA = { state: 'RUNNING', worker_id: 'a' };
  assert.deepEqual(apply('a', online('a')), [['node', null, { worker_id: 'a', state: 'ONLINE' }]]);
  apply('b', online('b'));
  assert.deepEqual(apply('a', { type: 'CLAIM', unit: 'c/0', generation: 1 }), [
    ['state', 'c', { task: 0, state: 'UNASSIGNED', worker_id: 'a', previous: nowhere }],
  ]);
  const { epoch = 0 } = state.claims.get('c/0') ?? {};
  assert.equal(apply('a', status('a', epoch, 'RUNNING')).length, 1);
  assert.deepEqual(apply('a', status('a', epoch, 'RUNNING', 3)), [], 'other things of a status');
  assert.deepEqual(apply('b', status('b', epoch, 'FAILED')), [], 'who is not its owner has no say');
  assert.deepEqual(apply('a', { type: 'ALIVE' }), []);
  assert.deepEqual(apply('b', { type: 'EVICT', node: { id: 'a', incarnation: 'a' } }), [
    ['node', null, { worker_id: 'a', state: 'OFFLINE', evicted_by: 'b' }],
    ['state', 'c', { task: 0, ...nowhere, previous: onA }],
  ]);
  assert.deepEqual(apply('b', { type: 'CLAIM', unit: 'c/0', generation: 1 }), [
    ['moved', 'c', { task: 0, from: 'a', to: 'b' }],
    ['state', 'c', { task: 0, state: 'UNASSIGNED', worker_id: 'b', previous: nowhere }],
  ]);
  assert.deepEqual(apply('b', status('b', epoch + 1, 'FAILED')), [
    [
      'state',
      'c',
      {
        task: 0,
        state: 'FAILED',
        worker_id: 'b',
        previous: { state: 'UNASSIGNED', worker_id: 'b' },
        trace: 'boom',
      },
    ],
  ]);
  assert.deepEqual(apply('b', { type: 'RELEASE', unit: 'c/0', epoch: epoch + 1 }), [], 'it is still FAILED');
});
