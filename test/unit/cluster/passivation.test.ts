import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passivateAfterMs } from '#troupe/core/cluster/passivation.js';

const CONFIGURED = 60_000;

test('beside many others a task that is new, or has rested for long, rests soon', () => {
  assert.equal(passivateAfterMs(CONFIGURED, 33, Infinity), 1000);
  assert.equal(passivateAfterMs(CONFIGURED, 33, CONFIGURED + 1), 1000);
  assert.equal(passivateAfterMs(CONFIGURED, 32, Infinity), CONFIGURED);
  assert.equal(passivateAfterMs(300, 33, Infinity), 300);
  assert.equal(passivateAfterMs(0, 33, Infinity), 0);
});

test('a task that records wake every few seconds is not started for each of them, however many there are', () => {
  assert.equal(passivateAfterMs(CONFIGURED, 1000, 2000), CONFIGURED);
});
