/** The loop of a sink whose records are bad: to its transforms, or to itself. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { Gate } from '#troupe/actors/task/gate.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { SkippedRecords } from '#troupe/actors/task/skipped-records.js';
import { SinkLoop } from '#troupe/actors/task/sink/sink-loop.js';
import { SinkQueue } from '#troupe/actors/task/sink/sink-queue.js';
import { SinkQueues } from '#troupe/actors/task/sink/sink-queues.js';
import type { ReadRequest, ReadResult } from '#troupe/log/log.js';
import { DataError, FatalError, RetriableError } from '#troupe/sdk/errors.js';
import type { ConnectRecord } from '#troupe/sdk/index.js';
import { batchOf } from '../../conformance/log-batches.js';
import { until } from '../../support/wait.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';
import { readCounters } from '../../support/metrics.js';
import { NO_SIGNALS, throttlingOf, UNCHANGED } from '../../support/task-parts.js';

const ignore = (): void => undefined;
const NO_CHANGES = { areDue: false, apply: () => Promise.resolve(), end: () => Promise.resolve() };
const VALUES = ['a', 'b', 'c', 'd'];
const DROPPED = Symbol('dropped');

interface Played {
  readonly tolerance: 'none' | 'all';
  readonly transform?: (value: unknown) => unknown;
  readonly put?: (values: readonly unknown[]) => void;
  /** Of as many as there are. */
  readonly breakerFailures?: number;
}

/** A queue of `a` to `d`; what the sink took, and each commit. */
function play(t: TestContext, { tolerance, transform = ignore, put = ignore, breakerFailures = 0 }: Played) {
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const ending = new AbortController();
  const { signal } = ending;
  const gate = new Gate(lease, signal);
  const calls = new PluginCalls(60_000, ignore);
  const taken: unknown[] = [];
  const committed: number[] = [];
  const warned: string[] = [];
  const warn = (fields: object): void => void warned.push(JSON.stringify(fields));
  const log = { debug: ignore, info: ignore, warn, error: ignore, child: () => log };
  const instance = {
    fromConnectData: () => null,
    toConnectData: (_: string, value: unknown) => ({ schema: null, value }),
  };
  const options = {
    log: { read },
    topic: 't',
    queue: 0,
    maxBytes: () => 1000,
    waitMs: 1000,
    signal,
    onAway: () => Promise.resolve(),
    onBack: ignore,
    onLost: ignore,
  };
  const { counters, counts } = readCounters();
  const skipped = new SkippedRecords(log, ignore, counters.skipped);
  const queues = new SinkQueues();
  const loop = new SinkLoop({
    task: {
      start: ignore,
      put: (records) => {
        const values = records.map(({ value }) => value);
        put(values);
        taken.push(...values);
      },
      flush: ignore,
      stop: ignore,
    },
    calls,
    gate,
    signal,
    queues,
    queueChanges: NO_CHANGES,
    changes: UNCHANGED,
    onUnreadable: () => false,
    counters: counters.sink,
    errors: new RecordErrors(
      { ...DEFAULT_TOLERANCE, tolerance, breaker: { failures: breakerFailures, window: VALUES.length } },
      log,
      signal,
      ignore,
      skipped,
    ),
    conversion: {
      chain: {
        apply: <R extends ConnectRecord>(record: R): R | null => {
          return transform(record.value) === DROPPED ? null : record;
        },
      },
      keyConverter: { input: 'text', instance },
      valueConverter: { input: 'text', instance },
      headerConverter: { input: 'text', instance },
    },
    throttle: throttlingOf({}),
    maxRecords: 500,
    flushIntervalMs: 1,
    offsets: {
      commit: async (offsets) => {
        committed.push(...offsets.map(({ offset }) => offset));
      },
      rewind: () => Promise.resolve(),
    },
    log,
    signals: NO_SIGNALS,
    resting: null,
    onPaused: ignore,
    onDelivered: ignore,
  });
  queues.add([new SinkQueue(options, loop, { offset: 0, exact: true })]);
  gate.setTarget('RUNNING');
  const ended = loop.run();
  t.after(async () => {
    ending.abort();
    await ended.catch(ignore);
    calls.close();
    skipped.close();
  });
  return { ended, taken, committed, warned, counts };
}

async function read({ offset, signal }: ReadRequest): Promise<ReadResult> {
  const range = { startOffset: 0, endOffset: VALUES.length };
  const nextOffset = VALUES.length;
  if (offset < nextOffset)
    return { ...range, batches: [{ baseOffset: 0, batch: batchOf(VALUES) }], nextOffset };
  await new Promise((resolve) => {
    signal?.addEventListener('abort', resolve, { once: true });
  });
  return { ...range, batches: [], nextOffset };
}

test('what stands before a record that fails the task is put, flushed and committed first', async (t) => {
  const { ended, taken, committed } = play(t, {
    tolerance: 'none',
    transform: (value) => {
      if (value === 'c') throw new Error('not this one');
    },
  });
  await assert.rejects(ended, /not this one.*"topic":"t","queue":0,"offset":2/);
  assert.deepEqual(taken, ['a', 'b']);
  assert.deepEqual(committed, [2]);
});

test('of the records of a put the one that is bad is skipped where that is tolerated, and said', async (t) => {
  const { taken, committed, warned } = play(t, {
    tolerance: 'all',
    put: (values) => {
      if (values.includes('b')) throw new DataError('b is bad');
    },
  });
  await until('the others are committed', () => committed.includes(4));
  assert.deepEqual(taken, ['a', 'c', 'd']);
  assert.match(warned.join(), /RECORDS_SKIPPED.*b is bad.*"topic":"t","queue":0,"offset":1/);
});

test('a bad record of a put fails the task where it is not tolerated, as does any other error where it is', async (t) => {
  const bad = new DataError('b is bad');
  const refuse = (error: Error) => () => {
    throw error;
  };
  await assert.rejects(play(t, { tolerance: 'none', put: refuse(bad) }).ended, bad);
  const other = new Error('out of order');
  await assert.rejects(play(t, { tolerance: 'all', put: refuse(other) }).ended, other);
});

test('a transform that may succeed later is applied again, and skips nothing', async (t) => {
  let tries = 0;
  const { taken, committed } = play(t, {
    tolerance: 'all',
    transform: (value) => {
      if (value === 'b' && (tries += 1) < 3) throw new RetriableError('busy', { retryAfterMs: 0 });
    },
  });
  await until('all are committed', () => committed.includes(4));
  assert.deepEqual(taken, VALUES);
});

test('each record is counted once: as put, as dropped by a transform, or as skipped', async (t) => {
  const { committed, counts } = play(t, {
    tolerance: 'all',
    transform: (value) => {
      if (value === 'b') throw new DataError('not this one');
      return value === 'a' ? DROPPED : value;
    },
    put: (values) => {
      if (values.includes('c')) throw new DataError('not this one either');
    },
  });
  await until('all are committed', () => committed.includes(4));
  await until('that is counted', () => counts()['sink_commits_total'] === committed.length);
  const { sink_flush_duration_seconds: flushes, sink_commits_total: commits, ...others } = counts();
  assert.ok(Number(flushes) >= Number(commits));
  assert.deepEqual(others, {
    task_records_skipped_total: 2,
    task_throttled_seconds_total: 0,
    task_metric_values_ignored_total: 0,
    sink_records_read_total: 4,
    sink_records_put_total: 1,
    sink_records_filtered_total: 1,
    sink_put_duration_seconds: 1,
  });
});

for (const stage of ['transform', 'put'] as const)
  test(`too many bad records stop a sink before it skips the others, and what came before is committed; stage ${stage}`, async (t) => {
    const refused = (value: unknown): void => {
      if (value === 'b' || value === 'd') throw new DataError(`${value} is bad`);
    };
    const { ended, taken, committed } = play(t, {
      tolerance: 'all',
      breakerFailures: 2,
      ...(stage === 'transform' ? { transform: refused } : { put: (values) => values.forEach(refused) }),
    });
    await assert.rejects(ended, (error) => {
      assert.ok(error instanceof FatalError);
      assert.equal(error.code, 'TOO_MANY_BAD_RECORDS');
      assert.match(error.message, /2 of the last 4 records .*d is bad.*"offset":3/);
      return true;
    });
    assert.deepEqual(taken, ['a', 'c']);
    // The one that stopped it is there for the next start.
    assert.deepEqual(committed.at(-1), 3);
  });
