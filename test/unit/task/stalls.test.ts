import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stalls } from '#troupe/actors/task/stalls.js';

function recorded(): { stalls: Stalls; told: string[]; clock: { now: number } } {
  const told: string[] = [];
  const clock = { now: 0 };
  const stalls: Stalls = new Stalls(
    () => clock.now,
    () => {
      const { longest } = stalls;
      told.push(longest === null ? 'none' : `${longest.call} ${longest.since} ${longest.cause ?? ''}`.trim());
    },
  );
  return { stalls, told, clock };
}

test('of several calls that fail the longest is told, and each clears its own only', () => {
  const { stalls, told } = recorded();
  stalls.set('put', { call: 'put', since: 5, cause: 'disk full' });
  stalls.set('no return', { call: 'put', since: 9 });
  stalls.set('read a/0', { call: 'read a/0', since: 2, cause: 'away' });
  stalls.set('no return', null);
  stalls.set('read a/0', null);
  stalls.set('put', null);
  assert.deepEqual(told, ['put 5 disk full', 'read a/0 2 away', 'put 5 disk full', 'none']);
});

test('a cause that is another at every try is told now and then, one that stays only once', () => {
  const { stalls, told, clock } = recorded();
  for (let attempt = 1; attempt <= 100; attempt += 1) {
    clock.now += 100;
    stalls.set('put', { call: 'put', since: 1, cause: `try ${attempt}` });
  }
  assert.ok(told.length >= 2 && told.length <= 3, told.join());
  const before = told.length;
  for (let attempt = 1; attempt <= 100; attempt += 1) {
    clock.now += 100;
    stalls.set('put', { call: 'put', since: 1, cause: 'the same' });
  }
  assert.equal(told.length, before + 1);
});
