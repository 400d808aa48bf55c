import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorBreaker } from '#troupe/core/error-breaker.js';
import { random } from '../../support/random.js';

test('it trips at the first bad record that is one of too many in a window, and not before', () => {
  const { seed, next } = random();
  for (let round = 0; round < 2000; round += 1) {
    const window = 1 + next(12);
    const failures = 1 + next(window);
    const rarity = 1 + next(6);
    const bad = Array.from({ length: 60 }, () => next(rarity) === 0);
    const expected = bad.findIndex((isBad, i) => {
      const last = bad.slice(Math.max(0, i + 1 - window), i + 1);
      return isBad && last.filter(Boolean).length >= failures;
    });
    const name = JSON.stringify({ seed, round, window, failures, bad });
    assert.equal(inTurn(new ErrorBreaker({ failures, window }), bad), expected, name);
    assert.equal(inBatches(new ErrorBreaker({ failures, window }), bad, 1 + next(10)), expected, name);
  }
});

test('without failures it never trips', () => {
  const breaker = new ErrorBreaker({ failures: 0, window: 1 });
  assert.equal(inTurn(breaker, new Array<boolean>(100).fill(true)), -1);
});

function inTurn(breaker: ErrorBreaker, bad: readonly boolean[]): number {
  return bad.findIndex((isBad) => {
    const trips = isBad && breaker.trips(breaker.next);
    breaker.passed(1);
    return trips;
  });
}

/** Each batch is counted when it is over, as that of a sink is. */
function inBatches(breaker: ErrorBreaker, bad: readonly boolean[], size: number): number {
  for (let from = 0; from < bad.length; from += size) {
    const batch = bad.slice(from, from + size);
    const at = batch.findIndex((isBad, i) => isBad && breaker.trips(breaker.next + i));
    if (at >= 0) return from + at;
    breaker.passed(batch.length);
  }
  return -1;
}
