import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../support/wait.js';
import { LoneNode } from './lone-node.js';

const UNTIL_A_SIGNAL = { kind: 'source', since: 5, wakeAt: null };

async function running(): Promise<LoneNode> {
  const node = new LoneNode();
  const started = await until('its start is under way', () => node.started);
  node.runs();
  started();
  await new Promise(setImmediate);
  return node;
}

test('a task that rests is RUNNING and passive, and is neither started again nor claimed anew', async () => {
  const node = await running();
  node.rests(UNTIL_A_SIGNAL);
  await until('the cluster knows it', () => node.passive);
  assert.deepEqual([node.status, node.passive], ['RUNNING', { since: 5 }]);
  node.show();
  await new Promise(setImmediate);
  assert.equal(node.asked.start, 1);
  // The last word of its thread comes late.
  node.runs();
  assert.deepEqual(node.passive, { since: 5 });
});

test('one that nobody knows how to wake starts again', async () => {
  const node = await running();
  node.rests({ kind: 'something else' });
  await until('it starts again', () => node.asked.start === 2);
});

test('a task that rests before the answer to its start is here is woken after that', async () => {
  const node = new LoneNode();
  const started = await until('its start is under way', () => node.started);
  node.runs();
  node.rests({ kind: 'source', since: 5, wakeAt: 0 });
  await until('its time has come, and it waits', () => node.rebalancer.resting === 0);
  assert.equal(node.asked.start, 1);
  started();
  await until('it starts again', () => node.asked.start === 2);
});

test('a passive task whose connector is deleted is stopped', async () => {
  const node = await running();
  node.rests(UNTIL_A_SIGNAL);
  node.wants(false);
  await until('it is given back', () => !node.claimed);
  assert.equal(node.asked.stop, 1);
});
