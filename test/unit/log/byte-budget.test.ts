import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ByteBudget } from '#troupe/log/byte-budget.js';
import { LogError } from '#troupe/log/log.js';

async function settled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    promise.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);
}

test('who asks for more than is left waits in line, and a small request does not overtake a large one', async () => {
  const budget = new ByteBudget(100);
  await budget.take(60);
  const large = budget.take(80);
  const small = budget.take(10);
  assert.deepEqual([await settled(large), await settled(small)], [false, false]);
  budget.give(60);
  assert.deepEqual([await settled(large), await settled(small)], [true, true]);
});

test('a request larger than the whole budget goes when nothing else is under way', async () => {
  const budget = new ByteBudget(100);
  await budget.take(1);
  const larger = budget.take(1000);
  assert.equal(await settled(larger), false);
  budget.give(1);
  assert.equal(await settled(larger), true);
  const next = budget.take(1);
  assert.equal(await settled(next), false);
  budget.give(1000);
  assert.equal(await settled(next), true);
});

test('the line has an end', async () => {
  const budget = new ByteBudget(1);
  await budget.take(1);
  const waiting = Array.from({ length: 1000 }, () => budget.take(1));
  await assert.rejects(budget.take(1), (error) => error instanceof LogError && error.code === 'LOG_BUSY');
  for (const next of waiting) {
    budget.give(1);
    await next;
  }
});
