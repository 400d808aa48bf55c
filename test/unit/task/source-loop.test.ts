/** The loop of a source whose plugin the test plays. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { Gate } from '#troupe/actors/task/gate.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { PolledRecords } from '#troupe/plugins/plugin-returns.js';
import { runSource } from '#troupe/actors/task/source/source-loop.js';
import { SourceWriter } from '#troupe/actors/task/source/source-writer.js';
import type { PositionWord } from '#troupe/core/model.js';
import type { Tolerance } from '#troupe/core/tolerance.js';
import { BatchReader } from '#troupe/log/batch.js';
import { encodeValues } from '#troupe/log/replicated-topic.js';
import {
  DataError,
  RetriableError,
  sourceRecord,
  withValue,
  type SourceRecord,
  type SourceTask,
} from '#troupe/sdk/index.js';
import { until } from '../../support/wait.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';
import { taskCounters } from '../../support/metrics.js';
import { NO_SIGNALS } from '../../support/task-parts.js';

const ignore = (): void => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };
const noLog = () => assert.fail('nothing is written');

/** A record whose value is its place. */
const at = (n: number): SourceRecord =>
  sourceRecord({ value: String(n), sourcePartition: { part: 'one' }, sourcePosition: { n } });

interface Played {
  readonly transform?: (record: SourceRecord) => SourceRecord | null;
  readonly commit?: NonNullable<SourceTask['commit']>;
  readonly settleTimeoutMs?: number;
  readonly tolerance?: Tolerance;
}

/** Runs the loop until the end of the test, on a log that takes everything. */
function play(t: TestContext, poll: SourceTask['poll'], options: Played = {}) {
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const ending = new AbortController();
  const { signal } = ending;
  const gate = new Gate(lease, signal);
  gate.setTarget('RUNNING');
  const calls = new PluginCalls(60_000, ignore);
  const said: string[] = [];
  const appended: { value: string | null; timestamp: number }[] = [];
  const positions: unknown[] = [];
  const warned: string[] = [];
  const begun: PositionWord[] = [];
  const log = {
    ...silent,
    warn: (fields: object, message: string) => warned.push(`${message} ${JSON.stringify(fields)}`),
  };
  const instance = {
    fromConnectData: (_topic: string, _schema: unknown, value: unknown) => value as string,
    toConnectData: () => ({ schema: null, value: null }),
  };
  const ended = runSource({
    polled: new PolledRecords('c'),
    task: { start: ignore, stop: ignore, poll, ...(options.commit && { commit: options.commit }) },
    calls,
    gate,
    signal,
    writer: new SourceWriter({
      log: {
        append: async ({ entries }) => {
          for (const { topic, batch } of entries) {
            const reader = BatchReader.open(batch.bytes);
            for (let i = 0; i < reader.count; i += 1)
              if (topic === 't')
                appended.push({ value: reader.valueText(i), timestamp: reader.timestamp(i) });
          }
          return entries.map(() => 0);
        },
        capabilities: { atomicAppend: true, trim: true, fencing: true, maxRecordBytes: 1000 },
      },
      limits: { maxRecords: 10, maxBytes: 1000, lingerMs: 5 },
      positionEntry: (items) => {
        positions.push(...items.map((item) => item.position));
        return { topic: 'positions', queue: 0, batch: encodeValues([Buffer.from('p')]) };
      },
      exact: null,
      fence: { key: 'c/0', epoch: 1 },
      retry: noLog,
      onAppended: ignore,
    }),
    topics: { queues: () => 1, ensure: noLog, route: () => 0 },
    counters: taskCounters().source,
    errors: new RecordErrors(options.tolerance ?? DEFAULT_TOLERANCE, log, signal, (call, stall) =>
      said.push(stall === null ? 'recovered' : call),
    ),
    transform: options.transform ?? null,
    keyConverter: instance,
    valueConverter: instance,
    headerConverter: noLog,
    topic: 't',
    marker: null,
    begun,
    log,
    settleTimeoutMs: options.settleTimeoutMs ?? 10_000,
    bound: { check: () => Promise.resolve() },
    signals: NO_SIGNALS,
    onPaused: (paused) => said.push(paused ? 'paused' : 'running'),
  });
  t.after(async () => {
    ending.abort();
    await ended.catch(ignore);
    calls.close();
  });
  return { ended, ending, gate, begun, said, appended, positions, warned };
}

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
