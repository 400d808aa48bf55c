import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlanRetries } from '#troupe/core/cluster/plan-retries.js';

const BACKOFF = { minMs: 100, maxMs: 1000, jitter: 0 };

test('a plan that only throws is tried again for as long as it is wanted, less and less often', () => {
  const retries = new PlanRetries(BACKOFF, 2);
  const delays = Array.from({ length: 6 }, () => retries.failed('c', 'NO_DATABASE', 0));
  assert.deepEqual(delays, [100, 200, 400, 800, 1000, 1000]);
});

test('a plan that costs a thread each time is given up, what it throws in between does not count', () => {
  const retries = new PlanRetries(BACKOFF, 2);
  assert.equal(retries.failed('c', 'PLANNING_TIMEOUT', 0), 100);
  assert.equal(retries.failed('c', 'NO_DATABASE', 0), 200);
  assert.equal(retries.failed('c', 'PLANNING_OUT_OF_MEMORY', 0), 400);
  assert.equal(retries.failed('other', 'PLANNING_TIMEOUT', 0), 100);
  assert.equal(retries.failed('c', 'PLANNING_TIMEOUT', 0), null);
});

test('a plan that succeeded, or another one to make, begins to count anew', () => {
  const retries = new PlanRetries(BACKOFF, 0);
  assert.equal(retries.failed('c', 'PLANNING_TIMEOUT', 0), null);
  retries.forget('c');
  assert.equal(retries.failed('c', 'NO_DATABASE', 0), 100);
});
