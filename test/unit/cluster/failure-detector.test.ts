import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailureDetector } from '#troupe/core/cluster/failure-detector.js';
import { HeartbeatLease } from '#troupe/core/cluster/heartbeat-lease.js';
import type { NodeRef } from '#troupe/core/model.js';

const SELF: NodeRef = { id: 'a', incarnation: '1' };
const B: NodeRef = { id: 'b', incarnation: '1' };
const B2: NodeRef = { id: 'b', incarnation: '2' };
const MEMBERS = [SELF, B];

/** Ticks every second from `from` to `to`, hearing itself and `others`; answers who is suspected at the end. */
function listen(
  detector: FailureDetector,
  from: number,
  to: number,
  others: readonly NodeRef[],
  members = MEMBERS,
): NodeRef[] {
  let suspects: NodeRef[] = [];
  for (let now = from; now <= to; now += 1000) {
    for (const node of [SELF, ...others]) detector.heard(node, now);
    suspects = detector.suspects(members, now);
  }
  return suspects;
}

function detector(): FailureDetector {
  return new FailureDetector({ self: SELF, heartbeatMs: 1000, evictionMs: 5000 });
}

test('a node is suspected after the eviction time of silence, and not before', () => {
  const watch = detector();
  assert.deepEqual(listen(watch, 0, 10_000, [B]), []);
  assert.deepEqual(listen(watch, 11_000, 14_000, []), []);
  assert.deepEqual(listen(watch, 15_000, 15_000, []), [B]);
});

test('a member that was never heard has the eviction time from when it is first seen', () => {
  const watch = detector();
  assert.deepEqual(listen(watch, 100_000, 104_000, []), []);
  assert.deepEqual(listen(watch, 105_000, 105_000, []), [B]);
});

test('a new incarnation does not inherit the silence of the old one', () => {
  const watch = detector();
  listen(watch, 0, 4000, []);
  assert.deepEqual(listen(watch, 5000, 9000, [], [SELF, B2]), []);
  assert.deepEqual(listen(watch, 10_000, 10_000, [], [SELF, B2]), [B2]);
});

test('late words of an old incarnation do not keep a new one alive', () => {
  const watch = detector();
  listen(watch, 0, 1000, [B2], [SELF, B2]);
  assert.deepEqual(listen(watch, 2000, 6000, [B], [SELF, B2]), [B2]);
});

test('a pause of the observer is nobody else’s silence', () => {
  const watch = detector();
  listen(watch, 0, 3000, [B]);
  assert.deepEqual(watch.suspects(MEMBERS, 60_000), []);
  assert.deepEqual(listen(watch, 61_000, 64_000, []), []);
  assert.deepEqual(listen(watch, 65_000, 66_000, []), [B]);
});

test('an observer that is cut off from the log suspects nobody, and gives everybody time when it is back', () => {
  const watch = detector();
  listen(watch, 0, 3000, [B]);
  for (let now = 4000; now <= 30_000; now += 1000) assert.deepEqual(watch.suspects(MEMBERS, now), []);
  assert.deepEqual(listen(watch, 31_000, 35_000, []), []);
  assert.deepEqual(listen(watch, 36_000, 36_000, []), [B]);
});

test('nobody suspects itself', () => {
  const watch = detector();
  for (let now = 0; now < 20_000; now += 1000) assert.deepEqual(watch.suspects([SELF], now), []);
});

test('a lease runs from when the heartbeat was sent, and never shrinks by a late one', () => {
  const lease = new HeartbeatLease(3000);
  assert.equal(lease.isValid(0), false);
  assert.equal(lease.readBack(1000), 4000);
  assert.equal(lease.readBack(500), 4000);
  assert.equal(lease.isValid(3999), true);
  assert.equal(lease.isValid(4000), false);
  lease.readBack(5000);
  lease.end();
  assert.equal(lease.isValid(5001), false);
});
