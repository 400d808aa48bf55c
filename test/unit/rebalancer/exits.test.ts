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

test('the last word of a thread, heard after its end, does not bring the task back', async () => {
  const node = new LoneNode();
  const started = await until('its start is under way', () => node.started);
  started();
  node.exits(500);
  node.runs();
  assert.equal(node.status, 'RESTARTING');
  node.runs(2);
  assert.equal(node.status, 'RUNNING');
  node.exits(null, 2);
  node.runs(2);
  assert.equal(node.status, 'FAILED');
  node.rebalancer.repeatStatuses();
  assert.equal(node.status, 'FAILED');
});

test('the end of a thread, heard after the next one runs, does not hide that one', async () => {
  const node = new LoneNode();
  const started = await until('its start is under way', () => node.started);
  started();
  node.runs(2);
  node.exits(500, 1);
  assert.equal(node.status, 'RUNNING');
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

test('a task that is deleted while it starts is stopped at once, however long its start takes', async () => {
  const node = new LoneNode();
  const started = await until('its start is under way', () => node.started);
  node.wants(false);
  assert.equal(node.asked.stop, 1);
  node.rebalancer.step();
  assert.equal(node.asked.stop, 1);
  assert.equal(node.claimed, true);
  // Its thread has ended.
  started();
  await until('it is given up', () => !node.claimed);
  assert.deepEqual(
    node.told.filter((state) => state === 'FAILED'),
    [],
  );
});

test('a task that is wanted again while its start is being stopped is started anew', async () => {
  const node = new LoneNode();
  const started = await until('its start is under way', () => node.started);
  node.wants(false);
  node.wants(true);
  assert.equal(node.asked.start, 1);
  started();
  await until('it is started once more', () => node.asked.start === 2);
});
