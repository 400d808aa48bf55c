import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clusterMachine,
  type ClusterEntry,
  type ClusterResult,
  type ClusterState,
  type RefusalReason,
} from '#troupe/core/cluster-machine.js';
import type { NodeRef, UnitState, UnitStatus } from '#troupe/core/model.js';

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

test('the first claim of an unowned unit wins, and every grant has a newer epoch', () => {
  const cluster = new Cluster(A, B);
  assert.equal(cluster.claim(A), 1);
  assert.equal(cluster.claim(B), 'OWNED');
  assert.equal(cluster.claim(B, 'd/0'), 2);
  assert.equal(cluster.claim(A), 1, 'a claim made twice is one claim');
  assert.equal(cluster.claim(A, 'c/0', 2), 3, 'another generation is another grant');
  assert.equal(cluster.refusal(A, { type: 'RELEASE', unit: 'c/0', epoch: 1 }), 'NOT_OWNER');
  assert.equal(cluster.refusal(B, { type: 'RELEASE', unit: 'c/0', epoch: 3 }), 'NOT_OWNER');
  assert.equal(cluster.refusal(A, { type: 'RELEASE', unit: 'c/0', epoch: 3 }), null);
  assert.equal(cluster.claim(B), 4);
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
  assert.equal(cluster.status(B, 1, 'FAILED').ok, false);
  assert.equal(cluster.status(A, 2, 'FAILED').ok, false);
  assert.equal(cluster.status({ ...A, incarnation: 'forged' }, 1, 'RUNNING').ok, false);
  assert.equal(cluster.status(A, 1, 'RUNNING').ok, true);
  assert.equal(cluster.state.statuses.get('c/0')?.state, 'RUNNING');
});

test('a failure is told until somebody claims the unit; other statuses end with the claim', () => {
  const cluster = new Cluster(A, B);
  cluster.claim(A);
  cluster.status(A, 1, 'RUNNING');
  cluster.say(A, { type: 'RELEASE', unit: 'c/0', epoch: 1 });
  assert.equal(cluster.state.statuses.size, 0);
  cluster.claim(A);
  cluster.status(A, 2, 'FAILED');
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
  assert.equal(cluster.state.departed.length, 1000);
});

test('heartbeats do not change the digest, claims do', () => {
  const cluster = new Cluster(A);
  const before = clusterMachine.digest(cluster.state);
  cluster.say(A, { type: 'ALIVE' });
  assert.equal(clusterMachine.digest(cluster.state), before);
  cluster.claim(A);
  assert.notEqual(clusterMachine.digest(cluster.state), before);
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
