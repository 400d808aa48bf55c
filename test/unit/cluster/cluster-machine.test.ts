import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clusterMachine,
  type ClusterEntry,
  type ClusterResult,
  type ClusterState,
  type RefusalReason,
} from '#troupe/core/cluster/cluster-machine.js';
import { decodeSnapshot, encodeSnapshot } from '#troupe/core/cluster/cluster-state.js';
import type { NodeRef, UnitState, UnitStatus } from '#troupe/core/model.js';
import { takesUnits } from '#troupe/core/cluster/wanted-units.js';

const A: NodeRef = { id: 'a', incarnation: '1' };
const A2: NodeRef = { id: 'a', incarnation: '2' };
const B: NodeRef = { id: 'b', incarnation: '1' };

class Cluster {
  readonly state: ClusterState = clusterMachine.initial();
  #offset = 0;

  constructor(...members: readonly NodeRef[]) {
    for (const node of members) this.online(node);
  }

  say({ id, incarnation }: NodeRef, entry: ClusterEntry): ClusterResult {
    const meta = { offset: this.#offset++, timestamp: 5, writer: { node: id, incarnation } };
    return clusterMachine.apply(this.state, entry, meta).result;
  }

  online(node: NodeRef): ClusterResult {
    return this.say(node, { type: 'ONLINE', member: { ...node, restUrl: '', joinedAt: 1, heartbeatAt: 1 } });
  }

  claim(node: NodeRef, unit = 'c/0', generation = 1): number | RefusalReason | null {
    const result = this.say(node, { type: 'CLAIM', unit, generation });
    return result.ok ? result.epoch : result.reason;
  }

  status(node: NodeRef, epoch: number, state: UnitState): ClusterResult {
    const status: UnitStatus = { unit: 'c/0', node, epoch, state, trace: null, stalled: null };
    return this.say(node, { type: 'STATUS', status });
  }

  refusal(node: NodeRef, entry: ClusterEntry): RefusalReason | null {
    const result = this.say(node, entry);
    return result.ok ? null : result.reason;
  }
}

test('a node that joins gets units once it is ready, and not before', () => {
  const cluster = new Cluster(B);
  const member = { ...A, restUrl: '', joinedAt: 1, heartbeatAt: 1, joining: true };
  cluster.say(A, { type: 'ONLINE', member });
  cluster.say(A, { type: 'ALIVE' });
  assert.deepEqual([takesUnits(cluster.state, 'a'), takesUnits(cluster.state, 'b')], [false, true]);
  cluster.say(A, { type: 'READY' });
  assert.equal(takesUnits(cluster.state, 'a'), true);
});

test('no task of an older plan is given away once a task of a newer one is', () => {
  const cluster = new Cluster(A, B);
  const claim = (node: NodeRef, unit: string, generation: number, plan: number): RefusalReason | null =>
    cluster.refusal(node, { type: 'CLAIM', unit, generation, plan });
  assert.equal(claim(A, 'c/0', 5, 5), null);
  assert.equal(claim(A, 'c/0', 9, 9), null);
  assert.equal(claim(B, 'c/1', 5, 5), 'STALE_PLAN');
  assert.equal(claim(B, 'c/1', 12, 5), 'STALE_PLAN', 'restarted since, which makes the plan no newer');
  assert.equal(claim(B, 'd/1', 5, 5), null, 'another connector');
  assert.equal(claim(B, 'c/1', 9, 9), null);
  const copy = decodeSnapshot([...encodeSnapshot(cluster.state)]);
  assert.equal(copy?.claims.newestPlan('c/7'), 9);
});

test('who has a task of an older plan may start it once more: the newer plan waits for it', () => {
  const cluster = new Cluster(A, B);
  cluster.say(A, { type: 'CLAIM', unit: 'c/1', generation: 5, plan: 5 });
  cluster.say(B, { type: 'CLAIM', unit: 'c/0', generation: 9, plan: 9 });
  assert.equal(cluster.refusal(A, { type: 'CLAIM', unit: 'c/1', generation: 5, plan: 5 }), null);
  cluster.say(B, { type: 'RELEASE', unit: 'c/0', epoch: cluster.state.claims.get('c/0')?.epoch ?? 0 });
  assert.equal(cluster.refusal(B, { type: 'CLAIM', unit: 'c/2', generation: 5, plan: 5 }), null);
});

test('the first claim of an unowned unit wins, and every grant has a newer epoch', () => {
  const cluster = new Cluster(A, B);
  assert.equal(cluster.claim(A), 3);
  assert.equal(cluster.claim(B), 'OWNED');
  assert.equal(cluster.claim(B, 'd/0'), 4);
  assert.equal(cluster.claim(A), 5, 'the owner that asks again gets a newer one as well');
  assert.equal(cluster.claim(A, 'c/0', 2), 6);
  assert.equal(cluster.refusal(A, { type: 'RELEASE', unit: 'c/0', epoch: 5 }), 'NOT_OWNER');
  assert.equal(cluster.refusal(B, { type: 'RELEASE', unit: 'c/0', epoch: 6 }), 'NOT_OWNER');
  assert.equal(cluster.refusal(A, { type: 'RELEASE', unit: 'c/0', epoch: 6 }), null);
  assert.equal(cluster.claim(B), 7);
});

test('where older entries are lost, the next epoch is newer than any that was granted', () => {
  const meta = { offset: 500, timestamp: 5, writer: { node: 'a', incarnation: '1' } };
  const cluster = new Cluster(A);
  const { result } = clusterMachine.apply(cluster.state, { type: 'CLAIM', unit: 'c', generation: 1 }, meta);
  assert.ok(result.ok && result.epoch === 501);
});

test('a drained node stays drained over its restarts and its absence, until it is undrained', () => {
  const cluster = new Cluster(A, B);
  const drain = (node: string, drained: boolean): RefusalReason | null =>
    cluster.refusal(B, { type: 'DRAIN', node, drained });
  assert.equal(drain('nobody', true), 'UNKNOWN_NODE');
  assert.equal(drain('nobody', false), 'UNKNOWN_NODE');
  assert.equal(drain('a', false), null, 'undraining one that is not drained changes nothing');
  assert.equal(drain('a', true), null);
  cluster.online(A2);
  cluster.say(A2, { type: 'OFFLINE' });
  assert.deepEqual([...cluster.state.drained.keys()], ['a']);
  assert.equal(cluster.refusal(A, { type: 'DRAIN', node: 'a', drained: false }), 'DEPARTED');
  const copy = clusterMachine.decodeSnapshot([...clusterMachine.encodeSnapshot(cluster.state)]);
  assert.deepEqual([...(copy?.drained.keys() ?? [])], ['a']);
  assert.equal(drain('a', false), null);
  assert.equal(cluster.state.drained.size, 0);
});

test('of the nodes that were drained and went away, so many are remembered', () => {
  const cluster = new Cluster(B);
  cluster.say(B, { type: 'DRAIN', node: 'b', drained: true });
  for (let i = 0; i < 1500; i += 1) {
    const node = { id: `n${i}`, incarnation: '1' };
    cluster.online(node);
    cluster.say(node, { type: 'DRAIN', node: node.id, drained: true });
    cluster.say(node, { type: 'OFFLINE' });
  }
  assert.equal(cluster.state.drained.size, 1000);
  assert.ok(cluster.state.drained.has('b'), 'a member is not forgotten');
  assert.ok(cluster.state.drained.has('n1499'));
});

test('a new incarnation takes the place of the old one, whose claims end', () => {
  const cluster = new Cluster(A, B);
  cluster.claim(A);
  cluster.online(A2);
  assert.equal(cluster.state.claims.size, 0);
  assert.equal(cluster.claim(A), 'DEPARTED');
  const again = cluster.online(A);
  assert.equal(again.ok ? null : again.reason, 'DEPARTED');
  assert.equal(cluster.state.members.get('a')?.incarnation, '2');
});

test('an eviction ends the claims of the incarnation it names, and of no other', () => {
  const cluster = new Cluster(A, B);
  cluster.claim(A);
  assert.equal(cluster.refusal(B, { type: 'EVICT', node: A2 }), 'UNKNOWN_NODE');
  assert.equal(cluster.state.claims.size, 1);
  assert.equal(cluster.refusal(B, { type: 'EVICT', node: A }), null);
  assert.equal(cluster.state.claims.size, 0);
  const before = clusterMachine.digest(cluster.state);
  const said: ClusterEntry[] = [
    { type: 'ALIVE' },
    { type: 'CLAIM', unit: 'c/0', generation: 1 },
    { type: 'EVICT', node: B },
    { type: 'OFFLINE' },
  ];
  for (const entry of said) assert.equal(cluster.refusal(A, entry), 'DEPARTED');
  assert.equal(clusterMachine.digest(cluster.state), before);
});

test('an eviction by a node that had not read the last heartbeat is void', () => {
  const cluster = new Cluster(A, B);
  const heard = cluster.state.members.get('a')?.heartbeatOffset ?? 0;
  cluster.say(A, { type: 'ALIVE' });
  assert.equal(cluster.refusal(B, { type: 'EVICT', node: A, heard }), 'HEARD_SINCE');
  assert.equal(cluster.refusal(B, { type: 'EVICT', node: A, heard: heard + 2 }), null);
});

test('who never joined can do nothing, and nobody can bring another online', () => {
  const cluster = new Cluster(B);
  assert.equal(cluster.claim(A), 'NOT_MEMBER');
  const member = { ...A, restUrl: '', joinedAt: 1, heartbeatAt: 1 };
  assert.equal(cluster.refusal(B, { type: 'ONLINE', member }), 'NOT_MEMBER');
  assert.equal(cluster.state.members.size, 1);
});

test('a status counts from the owner at its epoch, whoever it says it is', () => {
  const cluster = new Cluster(A, B);
  cluster.claim(A);
  assert.equal(cluster.status(B, 3, 'FAILED').ok, false);
  assert.equal(cluster.status(A, 4, 'FAILED').ok, false);
  assert.equal(cluster.status({ ...A, incarnation: 'forged' }, 1, 'RUNNING').ok, false);
  assert.equal(cluster.status(A, 3, 'RUNNING').ok, true);
  assert.equal(cluster.state.statuses.get('c/0')?.state, 'RUNNING');
});

test('a failure is told until somebody claims the unit; other statuses end with the claim', () => {
  const cluster = new Cluster(A, B);
  cluster.claim(A);
  cluster.status(A, 3, 'RUNNING');
  cluster.say(A, { type: 'RELEASE', unit: 'c/0', epoch: 3 });
  assert.equal(cluster.state.statuses.size, 0);
  cluster.claim(A);
  cluster.status(A, 4, 'FAILED');
  cluster.say(A, { type: 'OFFLINE' });
  assert.equal(cluster.state.statuses.get('c/0')?.state, 'FAILED');
  cluster.claim(B);
  assert.equal(cluster.state.statuses.size, 0);
});

test('failures that nobody takes over, and incarnations that left, are remembered in bounded number', () => {
  const cluster = new Cluster(B);
  for (let i = 0; i < 3000; i += 1) {
    const node = { id: 'a', incarnation: String(i) };
    cluster.online(node);
    const result = cluster.say(node, { type: 'CLAIM', unit: `c/${i}`, generation: 1 });
    const epoch = result.ok ? (result.epoch ?? 0) : 0;
    const status: UnitStatus = { unit: `c/${i}`, node, epoch, state: 'FAILED', trace: 'x', stalled: null };
    cluster.say(node, { type: 'STATUS', status });
  }
  cluster.online(A);
  assert.equal(cluster.state.statuses.size, 1000);
  assert.ok(cluster.state.statuses.has('c/2999'));
  assert.equal(cluster.state.departed.size, 1000);
});

test('heartbeats do not change the digests, claims do', () => {
  const cluster = new Cluster(A);
  const digests = (): unknown[] => [
    clusterMachine.digest(cluster.state),
    clusterMachine.runningDigest?.(cluster.state),
  ];
  const before = digests();
  cluster.say(A, { type: 'ALIVE' });
  assert.deepEqual(digests(), before);
  cluster.claim(A);
  const after = digests();
  for (const [i, digest] of after.entries()) assert.notEqual(digest, before[i]);
});

test('what is not an entry is not decoded', () => {
  const broken: unknown[] = [
    null,
    [],
    'ALIVE',
    {},
    { type: 'NOPE' },
    { type: 'constructor' },
    { type: 'CLAIM', unit: 'c', generation: -1 },
    { type: 'CLAIM', unit: 7, generation: 1 },
    { type: 'RELEASE', unit: 'c', epoch: 1.5 },
    { type: 'EVICT', node: { id: 'a' } },
    { type: 'STATUS', status: { unit: 'c', node: A, epoch: 1, state: 'GREAT', trace: null, stalled: null } },
  ];
  for (const value of broken) assert.equal(clusterMachine.decode(value), null, JSON.stringify(value));
});
