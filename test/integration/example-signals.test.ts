import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceHarness } from '#troupe/sdk/testing/index.js';
import { serve } from '@troupe/test-support/serve';
import { dependants, watchedSignals } from '@troupe/test-support/task-signals';
import { loadExample } from '../support/example-plugin.js';

test('what counts is seen: a signal that was joined has a dependant', () => {
  const { signal } = new AbortController();
  AbortSignal.any([signal]);
  assert.equal(dependants(signal), 1);
});

test('a source that asks its system again and again leaves nothing in the signal of its task', async (t) => {
  const served = await serve((_request, response) => response.end('[{"id": 1, "text": "x"}]'));
  t.after(served.cleanup);
  const { type, plugin } = await loadExample('http-feed');
  assert.ok(type === 'source');
  const signals: AbortSignal[] = [];
  const createTask = watchedSignals(() => plugin.createTask(), signals);
  const harness = new SourceHarness({ ...plugin, createTask }, { ...served.config });
  await harness.start();
  for (let i = 0; i < 3; i += 1) await harness.poll();
  assert.equal(dependants(signals[0]), 0);
  await harness.stop();
});
