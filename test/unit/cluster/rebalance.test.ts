import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Claim, ConnectorEntry, NodeRef, UnitKey } from '#troupe/core/model.js';
import {
  decide,
  type Action,
  type RebalanceInput,
  type RunningUnit,
} from '#troupe/core/cluster/rebalance.js';

const SELF: NodeRef = { id: 'a', incarnation: '1' };
const OTHER: NodeRef = { id: 'b', incarnation: '1' };
const CONNECTOR: ConnectorEntry = {
  name: 'c',
  config: {},
  targetState: 'RUNNING',
  version: 5,
  restart: null,
  tasks: { connectorVersion: 5, generation: 6, configs: [{}] },
};

function claim(unit: UnitKey, node: NodeRef, epoch: number, generation: number): Claim {
  return { unit, node, epoch, generation };
}

function running(
  unit: UnitKey,
  epoch: number,
  generation: number,
  state: RunningUnit['state'] = 'RUNNING',
): [UnitKey, RunningUnit] {
  return [unit, { epoch, generation, state }];
}

interface Situation {
  readonly members?: readonly NodeRef[];
  readonly claims?: readonly Claim[];
  readonly connectors?: readonly ConnectorEntry[] | null;
  readonly running?: readonly [UnitKey, RunningUnit][];
  readonly busy?: readonly UnitKey[];
  readonly starting?: readonly UnitKey[];
  readonly unread?: readonly UnitKey[];
  readonly drained?: readonly string[];
  readonly movesLeft?: number;
}

/** By default this node is alone, has both units of the connector at epochs 1 and 2, and runs them. */
function decided(situation: Situation): Action[] {
  const connectors = situation.connectors === undefined ? [CONNECTOR] : situation.connectors;
  const input: RebalanceInput = {
    self: SELF,
    cluster: {
      members: new Map((situation.members ?? [SELF]).map((node) => [node.id, node])),
      claims: new Map((situation.claims ?? CLAIMS).map((each) => [each.unit, each])),
      drained: new Set(situation.drained ?? []),
    },
    configs: connectors === null ? null : new Map(connectors.map((entry) => [entry.name, entry])),
    running: new Map(situation.running ?? RUNNING),
    busy: new Set(situation.busy ?? []),
    starting: new Set(situation.starting ?? []),
    unread: new Set(situation.unread ?? []),
    moves: { available: () => situation.movesLeft ?? Infinity },
  };
  return decide(input);
}

const CLAIMS = [claim('c', SELF, 1, 5), claim('c/0', SELF, 2, 6)];
const RUNNING = [running('c', 1, 5), running('c/0', 2, 6)];

test('from nothing: claim, then start what was granted, then nothing more', () => {
  const none = { claims: [], running: [] };
  assert.deepEqual(decided(none), [
    { type: 'claim', unit: 'c', generation: 5 },
    { type: 'claim', unit: 'c/0', generation: 6, plan: 6 },
  ]);
  assert.deepEqual(decided({ running: [] }), [
    { type: 'plan', unit: 'c', connector: 'c', epoch: 1, generation: 5 },
    { type: 'start', unit: 'c/0', epoch: 2, generation: 6 },
  ]);
  assert.deepEqual(decided({}), []);
  assert.deepEqual(decided({ claims: [], running: [], busy: ['c', 'c/0'] }), []);
});

test('not knowing the members, or the configs, stops nothing', () => {
  assert.deepEqual(decided({ members: [], claims: [] }), []);
  assert.deepEqual(decided({ connectors: null }), []);
});

test('a node that was evicted stops everything and claims nothing', () => {
  const stops: Action[] = [
    { type: 'stop', unit: 'c' },
    { type: 'stop', unit: 'c/0' },
  ];
  assert.deepEqual(decided({ members: [OTHER], claims: [] }), stops);
  assert.deepEqual(decided({ members: [{ id: 'a', incarnation: '2' }], claims: [] }), stops);
  assert.deepEqual(decided({ members: [OTHER], claims: [], running: [] }), []);
});

test('a unit that another node has is neither claimed nor started', () => {
  const claims = [claim('c', OTHER, 1, 5), claim('c/0', OTHER, 2, 6)];
  assert.deepEqual(decided({ members: [SELF, OTHER], claims, running: [] }), []);
});

test('a unit that runs on a claim that is no more, or at another epoch, is stopped', () => {
  const [connector] = CLAIMS;
  assert.ok(connector !== undefined);
  const stop: Action[] = [{ type: 'stop', unit: 'c/0' }];
  assert.deepEqual(decided({ claims: [connector] }), stop);
  assert.deepEqual(decided({ claims: [connector, claim('c/0', OTHER, 3, 6)], members: [SELF, OTHER] }), stop);
  assert.deepEqual(decided({ claims: [connector, claim('c/0', SELF, 3, 6)] }), stop);
});

test('a unit that moves away is stopped, then released, never the other way round', () => {
  const two = { ...CONNECTOR, tasks: { connectorVersion: 5, generation: 6, configs: [{}, {}] } };
  const claims = [...CLAIMS, claim('c/1', SELF, 3, 6)];
  const all = [...RUNNING, running('c/1', 3, 6)];
  const members = [SELF, OTHER];
  const stops = decided({ members, connectors: [two], claims, running: all });
  assert.equal(stops.length, 1);
  const [stop] = stops;
  assert.equal(stop?.type, 'stop');
  const rest = all.filter(([unit]) => unit !== stop?.unit);
  const epoch = claims.find(({ unit }) => unit === stop?.unit)?.epoch;
  assert.deepEqual(decided({ members, connectors: [two], claims, running: rest }), [
    { type: 'release', unit: stop?.unit, epoch },
  ]);
});

test('a task whose start is under way is stopped where nobody wants it, and moves only when it runs', () => {
  const starts = { busy: ['c/0'], starting: ['c/0'] };
  assert.deepEqual(decided(starts), []);
  assert.deepEqual(decided({ ...starts, claims: [claim('c', SELF, 1, 5)] }), [{ type: 'stop', unit: 'c/0' }]);
  assert.deepEqual(decided({ ...starts, members: [SELF, OTHER], drained: ['a'] }), [
    { type: 'stop', unit: 'c' },
  ]);
});

test('a drained node gives up what it has, and claims nothing', () => {
  const members = [SELF, OTHER];
  const drained = ['a'];
  assert.deepEqual(decided({ members, drained }), [
    { type: 'stop', unit: 'c' },
    { type: 'stop', unit: 'c/0', moving: true },
  ]);
  assert.deepEqual(
    decided({ members, drained, running: [] }).map(({ type }) => type),
    ['release', 'release'],
  );
  assert.deepEqual(decided({ members, drained, running: [], claims: [] }), []);
  assert.deepEqual(decided({ members, drained: ['b'] }), []);
});

test('so many tasks move at once; others go on, and what is wrong with a task does not wait', () => {
  const many: ConnectorEntry = {
    ...CONNECTOR,
    tasks: { connectorVersion: 5, generation: 6, configs: [{}, {}, {}, {}] },
  };
  const tasks = [0, 1, 2, 3].map((task) => `c/${task}`);
  const input: Situation = {
    members: [SELF, OTHER],
    connectors: [many],
    claims: tasks.map((unit, i) => claim(unit, SELF, i + 1, 6)),
    running: tasks.map((unit, i) => running(unit, i + 1, 6)),
    drained: ['a'],
  };
  const moving = (movesLeft: number, more: Situation = {}): number =>
    decided({ ...input, ...more, movesLeft }).filter(({ type }) => type === 'stop').length;
  assert.equal(moving(0), 0);
  assert.equal(moving(2), 2);
  assert.equal(moving(9), 4);
  assert.equal(moving(0, { connectors: [] }), 4);
});

test('a heavy task counts as several light ones', () => {
  const heavy: ConnectorEntry = { ...CONNECTOR, name: 'h', config: { 'task.weight': '3' } };
  const light: ConnectorEntry = {
    ...CONNECTOR,
    name: 'l',
    tasks: { connectorVersion: 5, generation: 6, configs: [{}, {}, {}] },
  };
  const claims = [claim('h/0', OTHER, 1, 6), ...[0, 1, 2].map((i) => claim(`l/${i}`, SELF, i + 2, 6))];
  const rest = [0, 1, 2].map((i) => running(`l/${i}`, i + 2, 6));
  const tasksOnly = (connectors: ConnectorEntry[]): Action[] =>
    decided({ members: [SELF, OTHER], connectors, claims, running: rest }).filter(({ unit }) =>
      unit.includes('/'),
    );
  assert.deepEqual(tasksOnly([heavy, light]), []);
  assert.deepEqual(
    tasksOnly([{ ...heavy, config: { 'task.weight': 'a lot' } }, light]).map(({ type }) => type),
    ['stop'],
    'what is no weight counts as 1',
  );
});

test('a new generation stops the unit, claims a new epoch, and starts', () => {
  const replanned = { ...CONNECTOR, tasks: { connectorVersion: 5, generation: 9, configs: [{}] } };
  const [plan] = RUNNING;
  const [connector] = CLAIMS;
  assert.ok(plan !== undefined && connector !== undefined);
  const connectors = [replanned];
  assert.deepEqual(decided({ connectors }), [{ type: 'stop', unit: 'c/0' }]);
  assert.deepEqual(decided({ connectors, running: [plan] }), [
    { type: 'claim', unit: 'c/0', generation: 9, plan: 9 },
  ]);
  const claims = [connector, claim('c/0', SELF, 3, 9)];
  assert.deepEqual(decided({ connectors, claims, running: [plan] }), [
    { type: 'start', unit: 'c/0', epoch: 3, generation: 9 },
  ]);
});

test('a restart request restarts what it covers, a failed task too', () => {
  const connectors = [{ ...CONNECTOR, restarts: { connector: 0, tasks: { 0: 12 } } }];
  const failed = [running('c', 1, 5), running('c/0', 2, 6, 'FAILED')];
  assert.deepEqual(decided({ running: failed }), [], 'a failed task stays failed');
  assert.deepEqual(decided({ connectors, running: failed }), [{ type: 'stop', unit: 'c/0' }]);
  const whole = [{ ...CONNECTOR, restarts: { connector: 12, tasks: {} } }];
  assert.deepEqual(decided({ connectors: whole }), [{ type: 'stop', unit: 'c' }]);
});

test('a changed config is planned again while its tasks go on', () => {
  assert.deepEqual(decided({ connectors: [{ ...CONNECTOR, version: 8 }] }), [{ type: 'stop', unit: 'c' }]);
  assert.deepEqual(decided({ connectors: [{ ...CONNECTOR, version: 8 }], running: RUNNING.slice(1) }), [
    { type: 'claim', unit: 'c', generation: 8 },
  ]);
});

test('a task of an older config is not started, claimed or moved, and stays where it runs', () => {
  const connectors = [{ ...CONNECTOR, version: 8 }];
  const [connector] = [running('c', 1, 8)];
  const planning = claim('c', SELF, 1, 8);
  const task = claim('c/0', SELF, 2, 6);
  assert.deepEqual(decided({ connectors, running: [connector], claims: [planning] }), []);
  assert.deepEqual(decided({ connectors, running: [connector], claims: [planning, task] }), []);
  const restarted = [{ ...CONNECTOR, version: 8, restarts: { connector: 0, tasks: { 0: 9 } } }];
  const all = { running: [connector, running('c/0', 2, 6)], claims: [planning, task] };
  assert.deepEqual(decided({ connectors: restarted, ...all }), [], 'a restart waits for the plan');
  assert.deepEqual(decided({ connectors, ...all, drained: ['a'] }), [
    { type: 'stop', unit: 'c' },
    { type: 'stop', unit: 'c/0' },
  ]);
});

test('a view of the configs that is behind stops and claims nothing', () => {
  const behind = [{ ...CONNECTOR, tasks: { connectorVersion: 5, generation: 4, configs: [{}] } }];
  assert.deepEqual(decided({ connectors: behind }), []);
  assert.deepEqual(decided({ connectors: behind, running: RUNNING.slice(0, 1) }), []);
});

test('a task is not started before the claims of others are known that came before its own', () => {
  const granted = { running: RUNNING.slice(0, 1), unread: ['c/0'] };
  assert.deepEqual(decided(granted), []);
  assert.deepEqual(decided({ ...granted, unread: [] }), [
    { type: 'start', unit: 'c/0', epoch: 2, generation: 6 },
  ]);
});

test('a node that has not read the newest plan claims no task of the older one beside the tasks of the newer', () => {
  const [connector] = CLAIMS;
  assert.ok(connector !== undefined);
  const configs = [{}, {}];
  const connectors = [{ ...CONNECTOR, tasks: { connectorVersion: 5, generation: 6, configs } }];
  const claims = (plan: number): Claim[] => [connector, { ...claim('c/0', OTHER, 2, plan), plan }];
  const situation = { members: [SELF, OTHER], connectors, running: RUNNING.slice(0, 1) };
  assert.deepEqual(decided({ ...situation, claims: claims(9) }), []);
  assert.deepEqual(decided({ ...situation, claims: claims(6) }), [
    { type: 'claim', unit: 'c/1', generation: 6, plan: 6 },
  ]);
});

test('a paused connector keeps its tasks', () => {
  assert.deepEqual(decided({ connectors: [{ ...CONNECTOR, targetState: 'PAUSED' }] }), []);
});

test('a stopped connector gives up its tasks and keeps its own unit, idle', () => {
  const connectors: ConnectorEntry[] = [{ ...CONNECTOR, targetState: 'STOPPED' }];
  assert.deepEqual(decided({ connectors }), [
    { type: 'stop', unit: 'c' },
    { type: 'stop', unit: 'c/0' },
  ]);
  assert.deepEqual(decided({ connectors, running: [] }), [{ type: 'release', unit: 'c/0', epoch: 2 }]);
});

test('a deleted connector gives up everything', () => {
  assert.deepEqual(
    decided({ connectors: [] }).map(({ type }) => type),
    ['stop', 'stop'],
  );
  assert.deepEqual(decided({ connectors: [], running: [] }), [
    { type: 'release', unit: 'c', epoch: 1 },
    { type: 'release', unit: 'c/0', epoch: 2 },
  ]);
});
