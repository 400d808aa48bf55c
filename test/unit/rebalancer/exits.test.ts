import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../support/wait.js';
import { LoneNode } from './lone-node.js';

/** So many that the rebalancer does not look at each change at once. */
const MANY = 200;

test('a task that fails for good in its first start is FAILED', async () => {
  const node = new LoneNode();
  const started = await until('its start is under way', () => node.started);
  // The supervisor tells of the end before it answers.
  node.exits(null);
  started();
  await until('the cluster knows it', () => node.status === 'FAILED');
});

test('a task that a leaving node stops did not fail', async () => {
  const node = new LoneNode(MANY);
  const started = await until('its start is under way', () => node.started);
  started();
  // Heard of, before the node leaves.
  await new Promise(setImmediate);
  let left = false;
  void node.rebalancer.leave().then(() => (left = true));
  await until('everything is given away', () => left);
  assert.deepEqual(
    node.told.filter((state) => state === 'FAILED'),
    [],
  );
});
