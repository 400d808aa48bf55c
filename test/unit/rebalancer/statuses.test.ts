import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../support/wait.js';
import { LoneNode } from './lone-node.js';

/** Its only task has just failed for good. */
async function failed(prepare: (node: LoneNode) => void): Promise<LoneNode> {
  const node = new LoneNode();
  const started = await until('its start is under way', () => node.started);
  await until('the plan is shown', () => node.told.length > 0);
  prepare(node);
  node.exits(null);
  started();
  return node;
}

test('a status that was not written is said again when the log is back', async () => {
  const node = await failed((each) => (each.writes = false));
  node.show();
  assert.equal(node.status, undefined);
  node.writes = true;
  node.rebalancer.repeatStatuses();
  assert.equal(node.status, 'FAILED');
});

test('a status that discovery had no room for is said again', async () => {
  const node = await failed((each) => (each.takes = false));
  node.show();
  node.takes = true;
  node.rebalancer.repeatStatuses();
  assert.equal(node.status, 'FAILED');
});

test('a status that the cluster knows is not said again', async () => {
  const node = await failed(() => undefined);
  node.show();
  const { length } = node.told;
  node.rebalancer.repeatStatuses();
  assert.equal(node.told.length, length);
});
