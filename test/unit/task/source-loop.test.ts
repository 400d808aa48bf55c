import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tolerance } from '#troupe/core/tolerance.js';
import { DataError, RetriableError, sourceRecord, withValue } from '#troupe/sdk/index.js';
import { at, ignore, play } from '../../support/played-source.js';
import { until } from '../../support/wait.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';

test('a plugin in JavaScript that polls null, for nothing, is polled on', async (t) => {
  let polls = 0;
  play(t, () => {
    polls += 1;
    return null as unknown as [];
  });
  await until('it is polled on', () => polls >= 3);
});

test('a source that is paused while its far end is away says so, and is polled when it is resumed', async (t) => {
  let polls = 0;
  const { gate, said } = play(t, () => {
    polls += 1;
    if (polls > 1) return [];
    throw new RetriableError('the far end is away', { retryAfterMs: 3_600_000 });
  });
  await until('it waits to try again', () => said.includes('poll'));
  gate.setTarget('PAUSED');
  await until('it is paused', () => said.includes('paused'));
  assert.deepEqual(said, ['poll', 'recovered', 'paused']);
  assert.equal(polls, 1);
  gate.setTarget('RUNNING');
  await until('it is polled', () => polls > 1);
});

test('what was polled before the poll that fails is appended, and the source told, before the task fails', async (t) => {
  let polls = 0;
  const told: unknown[] = [];
  const { ended, appended, positions } = play(
    t,
    () => {
      polls += 1;
      if (polls === 1) return [at(1), at(2), at(3)];
      throw new Error('a bad line');
    },
    { commit: (items) => void told.push(...items.map((item) => item.position)) },
  );
  await assert.rejects(ended, /a bad line/);
  assert.deepEqual(
    appended.map(({ value }) => value),
    ['1', '2', '3'],
  );
  assert.deepEqual(positions, [{ n: 3 }]);
  assert.deepEqual(told, [{ n: 3 }]);
});

test('what was polled before a record that cannot be transformed is appended before the task fails', async (t) => {
  const { ended, appended, positions } = play(t, () => [at(1), at(2), at(3)], {
    transform: (record) => {
      if (record.value === '3') throw new Error('not this one');
      return record;
    },
  });
  await assert.rejects(ended, /not this one/);
  assert.deepEqual(
    appended.map(({ value }) => value),
    ['1', '2'],
  );
  assert.deepEqual(positions, [{ n: 2 }]);
});

const BEGINNING = { partition: { part: 'new' }, position: { end: 7 } };

test('where a poll has said that a partition begins is durable when the stop ends that poll by an error', async (t) => {
  let polls = 0;
  const source = play(t, async () => {
    await nextTurn();
    polls += 1;
    source.begun.push(BEGINNING);
    await once(source.ending.signal, 'abort');
    throw new Error('the wait was ended');
  });
  await until('it is polled', () => polls > 0);
  source.ending.abort();
  await source.ended;
  assert.deepEqual(source.positions, [BEGINNING.position]);
});

test('where a poll has said that a partition begins is durable when that poll fails the task', async (t) => {
  const source = play(t, async () => {
    await nextTurn();
    source.begun.push(BEGINNING);
    throw new Error('a bad line');
  });
  await assert.rejects(source.ended, /a bad line/);
  assert.deepEqual(source.positions, [BEGINNING.position]);
});

test('a source whose commit hangs after a failure fails with its own cause all the same', async (t) => {
  let polls = 0;
  const { ended, warned } = play(
    t,
    () => {
      polls += 1;
      if (polls === 1) return [at(1)];
      throw new Error('a bad line');
    },
    { commit: () => new Promise<void>(ignore), settleTimeoutMs: 10 },
  );
  await assert.rejects(ended, /a bad line/);
  assert.match(warned.join(), /not durable.*more than 10 ms/);
});

test('transforms are given the time of reading where the source says none', async (t) => {
  const before = Date.now();
  let polls = 0;
  const { appended } = play(
    t,
    () => {
      polls += 1;
      return polls === 1 ? [at(1), sourceRecord({ ...at(2), timestamp: 5 })] : [];
    },
    { transform: (record) => withValue(record, null, String(record.timestamp)) },
  );
  await until('both are appended', () => appended.length === 2);
  const [first, second] = appended;
  assert.equal(first?.value, String(first?.timestamp));
  assert.ok(Number(first?.value) >= before);
  assert.deepEqual(second, { value: '5', timestamp: 5 });
});

test('a plugin that polls without awaiting anything leaves the event loop its turns', async (t) => {
  let polls = 0;
  const { appended } = play(t, () => [at((polls += 1))]);
  await until('timers fire', () => appended.length > 0);
});

const ALL: Tolerance = { ...DEFAULT_TOLERANCE, tolerance: 'all' };

test('a transform that may succeed later is applied again, and the record is not skipped, also over a pause', async (t) => {
  let tries = 0;
  const { appended, gate, said, warned } = play(t, () => (tries === 0 ? [at(1), at(2)] : []), {
    tolerance: ALL,
    transform: (record) => {
      tries += 1;
      if (tries < 4) throw new RetriableError('busy', { retryAfterMs: tries === 2 ? 3_600_000 : 0 });
      return record;
    },
  });
  await until('it waits', () => tries === 2);
  gate.setTarget('PAUSED');
  await until('it is paused', () => said.includes('paused'));
  gate.setTarget('RUNNING');
  await until('both are appended', () => appended.length === 2);
  assert.deepEqual(
    appended.map(({ value }) => value),
    ['1', '2'],
  );
  assert.ok(!warned.some((line) => line.includes('skipped')));
});

test('a bad record of a poll is passed over where that is tolerated and the source says where to go on', async (t) => {
  let polls = 0;
  const { appended, positions, warned } = play(
    t,
    () => {
      polls += 1;
      if (polls === 1) return [at(1)];
      if (polls === 2)
        throw new DataError('a bad line', { skipTo: { partition: { part: 'one' }, position: { n: 2 } } });
      return polls === 3 ? [at(3)] : [];
    },
    { tolerance: ALL },
  );
  await until('both are appended', () => appended.length === 2);
  await until('its position is durable', () => JSON.stringify(positions).includes('{"n":3}'));
  assert.match(warned.join(), /skipped.*a bad line.*"n":2/);
});

test('a bad record of a poll fails the task where the source does not pass it', async (t) => {
  const bad = new DataError('a bad line', { skipTo: { partition: {}, position: { n: 2 } } });
  const again = play(
    t,
    () => {
      throw bad;
    },
    { tolerance: ALL },
  );
  await assert.rejects(again.ended, /a bad line.*meets it again/);
  const without = play(
    t,
    () => {
      throw new DataError('a bad line');
    },
    { tolerance: ALL },
  );
  await assert.rejects(without.ended, /a bad line.*skipTo/);
});

test('too many bad records stop a source before it skips the others, and those before them are appended', async (t) => {
  const { ended, appended, positions } = play(t, () => [1, 2, 3, 4, 5, 6].map((n) => at(n)), {
    tolerance: { ...ALL, breaker: { failures: 2, window: 3 } },
    transform: (record) => {
      if (['1', '4', '5'].includes(String(record.value))) throw new Error('bad');
      return record;
    },
  });
  await assert.rejects(ended, { name: 'FatalError', code: 'TOO_MANY_BAD_RECORDS' });
  assert.deepEqual(
    appended.map(({ value }) => value),
    ['2', '3'],
  );
  assert.deepEqual(positions.at(-1), { n: 4 });
});

test('what may pass later is tried for errors.retry.timeout, and is a bad record then', async (t) => {
  let polls = 0;
  const { appended, warned } = play(t, () => ((polls += 1) === 1 ? [at(1), at(2)] : []), {
    tolerance: { ...ALL, retryTimeoutMs: 20 },
    transform: (record) => {
      if (record.value === '1') throw new RetriableError('away for good', { retryAfterMs: 1 });
      return record;
    },
  });
  await until('the other is appended', () => appended.length === 1);
  assert.match(warned.join(), /RECORDS_SKIPPED.*away for good/);
});

test('a changed chain is used from the next record on, also where the one before asks for another try for ever', async (t) => {
  let due = false;
  const changes = {
    get isDue() {
      return due;
    },
    take: () => {
      due = false;
      played.use((record) => withValue(record, null, `${String(record.value)} new`));
      played.gate.release();
    },
  };
  let polls = 0;
  let tries = 0;
  const played = play(t, () => ((polls += 1) === 1 ? [at(1), at(2), at(3)] : []), {
    changes,
    transform: (record) => {
      if (record.value !== '2') return record;
      tries += 1;
      throw new RetriableError('not now', { retryAfterMs: 3_600_000 });
    },
  });
  await until('it waits', () => tries === 1);
  due = true;
  played.gate.hold();
  await until('all are there', () => played.appended.length === 3);
  assert.deepEqual(
    played.appended.map(({ value }) => value),
    ['1', '2 new', '3 new'],
  );
  assert.ok(!played.said.includes('paused'), 'a change is no pause');
  assert.deepEqual(played.positions.at(-1), { n: 3 });
});
