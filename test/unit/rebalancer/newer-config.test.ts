import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeState } from '#troupe/actors/rebalancer/node-state.js';
import { Targets } from '#troupe/actors/rebalancer/targets.js';
import { decide, type RunningUnit } from '#troupe/core/cluster/rebalance.js';
import type { ConnectorEntry } from '#troupe/core/model.js';

const self = { id: 'n', incarnation: 'i' };

/** Planned at 11 from version 10, and since of `version` with the same tasks. */
function entry(version: number, planned = version): ConnectorEntry {
  return {
    name: 'c',
    config: { 'linger.ms': String(version) },
    targetState: 'RUNNING',
    version,
    restart: null,
    tasks: { connectorVersion: planned, generation: 11, configs: [{ own: 'x' }] },
  };
}

function stateOf(connector: ConnectorEntry): { state: NodeState; targets: Targets } {
  const state = new NodeState();
  state.setConfigs([connector]);
  return { state, targets: new Targets(state) };
}

const poll = { unit: 'c/0', epoch: 1, known: 'RUNNING', running: { generation: 11, version: 10 } } as const;

test('a task is told of a newer config of its generation, with its own laid over it, and of that once', async () => {
  const { state, targets } = stateOf(entry(10));
  const told = targets.next(poll, new AbortController().signal);
  state.setConfigs([entry(20)]);
  targets.changed();
  assert.deepEqual(await told, {
    state: 'RUNNING',
    config: { config: { 'linger.ms': '20', own: 'x' }, version: 20 },
  });
  const ended = new AbortController();
  const again = targets.next({ ...poll, running: { generation: 11, version: 20 } }, ended.signal);
  targets.changed();
  ended.abort();
  await assert.rejects(again, /gone/);
});

test('a task is not told of a config that is not planned yet, or that is for another start of it', () => {
  assert.equal(stateOf(entry(20, 10)).state.newerConfig('c/0', 11, 10), null);
  assert.equal(stateOf(entry(20)).state.newerConfig('c/0', 9, 10), null);
  assert.equal(stateOf(entry(20)).state.newerConfig('c/1', 11, 10), null);
  assert.equal(stateOf(entry(20)).state.newerConfig('d/0', 11, 10), null);
});

test('a task that is down starts anew with a newer config, one that runs takes it over, and one that has refused it stays', () => {
  const claim = (unit: string, generation: number) => ({ unit, node: self, epoch: 3, generation });
  const actionsFor = (running: Pick<RunningUnit, 'state' | 'version'>): unknown =>
    decide({
      self,
      cluster: {
        members: new Map([['n', { ...self, restUrl: '', joinedAt: 0, heartbeatAt: 0 }]]),
        claims: new Map([
          ['c', claim('c', 20)],
          ['c/0', claim('c/0', 11)],
        ]),
      },
      configs: new Map([['c', entry(20)]]),
      running: new Map([
        ['c', { epoch: 3, generation: 20, state: 'RUNNING' as const }],
        ['c/0', { epoch: 3, generation: 11, ...running }],
      ]),
      busy: new Set(),
    });
  for (const state of ['FAILED', 'RESTARTING'] as const) {
    assert.deepEqual(actionsFor({ state, version: 10 }), [{ type: 'stop', unit: 'c/0' }]);
    assert.deepEqual(actionsFor({ state, version: 20 }), []);
  }
  assert.deepEqual(actionsFor({ state: 'RUNNING', version: 10 }), []);
  assert.deepEqual(actionsFor({ state: 'PAUSED', version: 10 }), []);
});
