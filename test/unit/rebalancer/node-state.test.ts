import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterView } from '#troupe/actors/discovery/protocol.js';
import { NodeState } from '#troupe/actors/rebalancer/node-state.js';
import type { Claim, NodeRef } from '#troupe/core/model.js';

const SELF: NodeRef = { id: 'a', incarnation: '1' };
const OTHER: NodeRef = { id: 'b', incarnation: '1' };
const OWN = claim('c/0', SELF);

function claim(unit: string, node: NodeRef): Claim {
  return { unit, node, epoch: 1, generation: 1 };
}

function view(offset: number, ...claims: readonly Claim[]): ClusterView {
  return { self: SELF, members: [], drained: [], claims, statuses: [], digest: '', offset };
}

test('a claim that was granted ahead of the view is known, and marked until the view shows what came before it', () => {
  const state = new NodeState();
  state.setCluster(view(3));
  state.setClaim('c/0', OWN, 7);
  assert.deepEqual([state.claims.get('c/0'), state.unread.has('c/0')], [OWN, true]);
  const others = claim('c/1', OTHER);
  assert.equal(state.setCluster(view(6, others)), true, 'newer than the last view');
  assert.deepEqual([...state.claims.values()], [others, OWN]);
  assert.equal(state.unread.has('c/0'), true);
  state.setCluster(view(7, others, OWN));
  assert.equal(state.unread.has('c/0'), false);
});

test('a claim that was given back does not come back with a view from before that', () => {
  const state = new NodeState();
  state.setCluster(view(3, OWN));
  state.setClaim('c/0', null, 7);
  state.setCluster(view(5, OWN));
  assert.equal(state.claims.size, 0);
  state.setCluster(view(8));
  assert.equal(state.unread.has('c/0'), false);
});

test('an answer that comes after a view that shows more changes nothing', () => {
  const state = new NodeState();
  state.setCluster(view(9));
  state.setClaim('c/0', OWN, 7);
  assert.deepEqual([state.claims.size, state.unread.has('c/0')], [0, false]);
});

test('an older view changes nothing', () => {
  const state = new NodeState();
  state.setCluster(view(9, OWN));
  assert.equal(state.setCluster(view(8)), false);
  assert.equal(state.claims.size, 1);
});
