import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, play } from '../../support/played-source.js';
import { readCounters } from '../../support/metrics.js';
import { throttlingOf } from '../../support/task-parts.js';
import { until } from '../../support/wait.js';

/** Of one record a second, by a clock that the test moves on. */
function oneASecond() {
  let now = 0;
  const said: (string | null)[] = [];
  const { counters, counts } = readCounters();
  const throttle = throttlingOf(
    { recordsPerSecond: 1 },
    { now: () => now, note: (_code, message) => void said.push(message), waited: counters.throttled },
  );
  return { throttle, said, counts, seconds: (count: number) => void (now += count * 1000) };
}

const values = (appended: readonly { value: string | null }[]): unknown[] =>
  appended.map(({ value }) => value);

test('a throttled source appends what its rate allows, and is told of it, before it is asked for more', async (t) => {
  const { throttle, seconds, said, counts } = oneASecond();
  t.after(() => {
    throttle.close();
  });
  const told: unknown[] = [];
  let polls = 0;
  const { appended, positions } = play(t, () => ((polls += 1) === 1 ? [at(1), at(2), at(3)] : []), {
    throttle,
    commit: (items) => void told.push(...items.map(({ position }) => position)),
  });
  await until('it says so', () => said.length > 0);
  assert.deepEqual(appended, []);
  seconds(1);
  await until('it is told of the first', () => told.length === 1);
  assert.deepEqual(values(appended), ['1']);
  assert.deepEqual(positions, [{ n: 1 }]);
  assert.equal(polls, 1);
  seconds(1);
  await until('the second', () => appended.length === 2);
  seconds(1);
  await until('it is polled again', () => polls > 1 && appended.length === 3);
  assert.deepEqual(values(appended), ['1', '2', '3']);
  assert.match(said[0] ?? '', /1 records a second \(throttle.records.per.second\)/);
  assert.ok((counts()['task_throttled_seconds_total'] ?? 0) > 0);
});

test('a source that waits for its throttle stops at once, and what it has not appended is not counted as done', async (t) => {
  const { throttle, seconds, said } = oneASecond();
  t.after(() => {
    throttle.close();
  });
  const { appended, positions, ending, ended } = play(t, () => [at(1), at(2), at(3)], { throttle });
  await until('it waits', () => said.length > 0);
  seconds(1);
  await until('the first is there', () => appended.length === 1);
  ending.abort();
  await ended;
  assert.deepEqual(values(appended), ['1']);
  assert.deepEqual(positions, [{ n: 1 }]);
});

test('a source that waits for its throttle is paused at once, and goes on where it was', async (t) => {
  const { throttle, seconds, said } = oneASecond();
  t.after(() => {
    throttle.close();
  });
  let polls = 0;
  const played = play(t, () => ((polls += 1) === 1 ? [at(1), at(2)] : []), { throttle });
  await until('it waits', () => said.length > 0);
  played.gate.setTarget('PAUSED');
  await until('it is paused', () => played.said.includes('paused'));
  seconds(60);
  played.gate.setTarget('RUNNING');
  await until('it goes on', () => played.appended.length === 1);
  seconds(1);
  await until('it is polled on', () => polls > 1 && played.appended.length === 2);
  assert.deepEqual(values(played.appended), ['1', '2']);
});

test('what a task says of its throttle it takes back when nothing has waited for long, or the limit is gone', () => {
  const said: (string | null)[] = [];
  const throttle = throttlingOf(
    { bytesPerSecond: 0.5 },
    { note: (_code, message) => void said.push(message), now: () => 0 },
  );
  throttle.waited(10);
  throttle.waited(10);
  assert.match(said.join(), /0.5 bytes a second/);
  throttle.set({ recordsPerSecond: 0, bytesPerSecond: 0 });
  assert.equal(said.length, 2);
  assert.equal(said[1], null);
  assert.equal(throttle.limits, false);
  assert.equal(throttle.waitMs, 0);
});
