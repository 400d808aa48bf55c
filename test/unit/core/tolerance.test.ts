import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideError, DEFAULT_TOLERANCE, retryDelayMs, type Tolerance } from '#troupe/core/tolerance.js';
import { DataError, RetriableError } from '#troupe/sdk/errors.js';

const RETRYING: Tolerance = { ...DEFAULT_TOLERANCE, retryTimeoutMs: 10_000 };
const retriable = new RetriableError('busy');

function decided(tolerance: Tolerance, error: unknown, attempt = 1, elapsedMs = 0): unknown {
  return decideError(tolerance, { error, attempt, elapsedMs, random: 0.5 });
}

test('by default nothing is tried again and nothing is skipped', () => {
  assert.deepEqual(decided(DEFAULT_TOLERANCE, retriable), { action: 'fail' });
  assert.deepEqual(decided(DEFAULT_TOLERANCE, new DataError('bad')), { action: 'fail' });
});

test('a retriable error is tried again until the timeout, the last time at the timeout', () => {
  assert.deepEqual(decided(RETRYING, retriable), { action: 'retry', delayMs: 300 });
  assert.deepEqual(decided(RETRYING, retriable, 4, 3000), { action: 'retry', delayMs: 2400 });
  assert.deepEqual(decided(RETRYING, retriable, 6, 9000), { action: 'retry', delayMs: 1000 });
  assert.deepEqual(decided(RETRYING, retriable, 7, 10_000), { action: 'fail' });
  assert.deepEqual(decided({ ...RETRYING, tolerance: 'all' }, retriable, 7, 10_000), { action: 'skip' });
});

test('-1 tries for ever', () => {
  const forever = { ...RETRYING, retryTimeoutMs: -1 };
  assert.deepEqual(decided(forever, retriable, 1000, 1e12), { action: 'retry', delayMs: 30_000 });
});

test('another error is not tried again, and tolerance all skips its record', () => {
  for (const error of [new DataError('bad'), new TypeError('x is not a function'), 'thrown text', null]) {
    assert.deepEqual(decided(RETRYING, error), { action: 'fail' });
    assert.deepEqual(decided({ ...RETRYING, tolerance: 'all' }, error), { action: 'skip' });
  }
});

test('a plugin may say how long to wait, and may bring its own copy of the error class', () => {
  assert.deepEqual(decided(RETRYING, new RetriableError('later', { retryAfterMs: 1234 })), {
    action: 'retry',
    delayMs: 1234,
  });
  const foreign = Object.assign(new Error('busy'), { name: 'RetriableError' });
  assert.deepEqual(decided(RETRYING, foreign), { action: 'retry', delayMs: 300 });
});

test('delays double from 300 ms, and are spread once they reach the maximum', () => {
  const limits = { retryDelayMaxMs: 1000 };
  assert.deepEqual(
    [1, 2, 3, 60].map((attempt) => retryDelayMs(limits, attempt, 0.25)),
    [300, 600, 250, 250],
  );
});
