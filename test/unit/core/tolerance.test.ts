import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryDelayMs } from '#troupe/core/tolerance.js';

test('delays double from 300 ms, and are spread once they reach the maximum', () => {
  const limits = { retryDelayMaxMs: 1000 };
  assert.deepEqual(
    [1, 2, 3, 60].map((attempt) => retryDelayMs(limits, attempt, 0.25)),
    [300, 600, 250, 250],
  );
});
