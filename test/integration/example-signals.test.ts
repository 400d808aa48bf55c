import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SinkHarness, SourceHarness } from '#troupe/sdk/testing/index.js';
import { loadExample, serve } from '../support/example-plugin.js';

/** Notes the signal that each of the tasks is given. */
function watched<Task extends { start(context: { signal: AbortSignal }, ...rest: never[]): unknown }>(
  createTask: () => Task,
  signals: AbortSignal[],
): () => Task {
  return () => {
    const task = createTask();
    const start = task.start.bind(task);
    task.start = (context, ...rest) => {
      signals.push(context.signal);
      return start(context, ...rest);
    };
    return task;
  };
}

/** What `AbortSignal.any` keeps in its sources: on Node 20 for as long as these live. */
function dependants(signal: AbortSignal | undefined): number {
  assert.ok(signal);
  const key = Object.getOwnPropertySymbols(signal).find(
    ({ description }) => description === 'kDependantSignals',
  );
  const found: unknown = key === undefined ? undefined : Reflect.get(signal, key);
  const size: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, 'size') : 0;
  return Number(size);
}

test('what counts is seen: a signal that was joined has a dependant', () => {
  const { signal } = new AbortController();
  AbortSignal.any([signal]);
  assert.equal(dependants(signal), 1);
});

test('a sink that calls its system for each record leaves nothing in the signal of its task', async (t) => {
  const served = await serve((_request, response) => response.writeHead(204).end());
  t.after(served.cleanup);
  const { type, plugin } = await loadExample('http-post');
  assert.ok(type === 'sink');
  const signals: AbortSignal[] = [];
  const createTask = watched(() => plugin.createTask(), signals);
  const harness = new SinkHarness({ ...plugin, createTask }, { ...served.config });
  await harness.start();
  harness.append(0, ['a', 'b', 'c']);
  await harness.deliver();
  assert.equal(dependants(signals[0]), 0);
  await harness.stop();
});

test('a source that asks its system again and again leaves nothing in the signal of its task', async (t) => {
  const served = await serve((_request, response) => response.end('[{"id": 1, "text": "x"}]'));
  t.after(served.cleanup);
  const { type, plugin } = await loadExample('http-feed');
  assert.ok(type === 'source');
  const signals: AbortSignal[] = [];
  const createTask = watched(() => plugin.createTask(), signals);
  const harness = new SourceHarness({ ...plugin, createTask }, { ...served.config });
  await harness.start();
  for (let i = 0; i < 3; i += 1) await harness.poll();
  assert.equal(dependants(signals[0]), 0);
  await harness.stop();
});
