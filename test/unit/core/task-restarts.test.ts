import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskRestarts } from '#troupe/core/task-restarts.js';

const NODE = {
  intensity: { restarts: 10, periodMs: 600_000 },
  backoff: { minMs: 500, maxMs: 30_000, jitter: 0.2 },
};

test('a connector without restarts of its own has those of the node', () => {
  assert.deepEqual(taskRestarts(NODE, { 'connector.class': 'X' }), NODE);
});

test('what a connector says of restarts holds in place of the node’s, one by one', () => {
  assert.deepEqual(taskRestarts(NODE, { 'task.restart.max': '0', 'task.restart.backoff.max.ms': '60000' }), {
    intensity: { restarts: 0, periodMs: 600_000 },
    backoff: { minMs: 500, maxMs: 60_000, jitter: 0.2 },
  });
  assert.deepEqual(taskRestarts(NODE, { 'task.restart.period.ms': '1000' }).intensity, {
    restarts: 10,
    periodMs: 1000,
  });
});

test('the longest wait is never shorter than the first, whichever of them is the connector’s own', () => {
  const waits = (config: Record<string, string>): readonly number[] => {
    const { minMs, maxMs } = taskRestarts(NODE, config).backoff;
    return [minMs, maxMs];
  };
  assert.deepEqual(waits({ 'task.restart.backoff.min.ms': '60000' }), [60_000, 60_000]);
  assert.deepEqual(waits({ 'task.restart.backoff.max.ms': '100' }), [100, 100]);
  assert.deepEqual(
    waits({ 'task.restart.backoff.min.ms': '200', 'task.restart.backoff.max.ms': '100' }),
    [200, 200],
  );
});
