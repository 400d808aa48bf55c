/** The loop of a shared sink over a group that the test plays. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Gate } from '#troupe/actors/task/gate.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { SkippedRecords } from '#troupe/actors/task/skipped-records.js';
import {
  SharedSinkLoop,
  type SharedSinkLoopParts,
} from '#troupe/actors/task/shared-sink/shared-sink-loop.js';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import type { Tolerance } from '#troupe/core/tolerance.js';
import { BatchBuilder } from '#troupe/log/batch.js';
import type { Delivery, SharedBatch, SharedConsumer } from '#troupe/log/shared.js';
import { DataError, RetriableError, type ConnectRecord, type SinkRecord } from '#troupe/sdk/index.js';
import { until } from '../../support/wait.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';
import { readCounters, taskCounters } from '../../support/metrics.js';
import { NO_SIGNALS, throttlingOf, UNCHANGED } from '../../support/task-parts.js';

interface Handed extends Delivery {
  readonly value: string;
}

/** Writes down what is done with each delivery, in order. */
class PlayedGroup implements SharedConsumer {
  readonly acts: string[] = [];
  readonly batches: SharedBatch[] = [];

  hand(...records: readonly (readonly [value: string, attempt: number])[]): void {
    const builder = new BatchBuilder();
    for (const [value] of records) builder.add(null, value, 0);
    const deliveries = records.map(([value, attempt], offset): Handed => ({
      queue: 0,
      offset,
      attempt,
      value,
    }));
    this.batches.push({ topic: 't', batch: builder.build(), deliveries });
  }

  async receive(): Promise<SharedBatch | null> {
    const batch = this.batches.shift() ?? null;
    if (batch === null) await new Promise((resolve) => setImmediate(resolve));
    return batch;
  }
  async ack(deliveries: readonly Delivery[]): Promise<number> {
    this.#note('ack', deliveries);
    return 0;
  }
  async release(deliveries: readonly Delivery[]): Promise<void> {
    this.#note('release', deliveries);
  }
  async suspend(): Promise<void> {
    this.acts.push('suspend');
  }
  async close(): Promise<void> {
    this.acts.push('close');
  }
  #note(what: string, deliveries: readonly Delivery[]): void {
    this.acts.push(
      `${what} ${deliveries.map((delivery) => ('value' in delivery ? delivery.value : '')).join(' ')}`,
    );
  }
}

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };
function ignore(): void {
  // Nobody reads it.
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Played {
  readonly group: PlayedGroup;
  readonly gate: Gate;
  readonly lease: SharedArrayBuffer;
  readonly ended: Promise<unknown>;
  readonly did: (act: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

interface Sink {
  put?: (values: readonly string[]) => Promise<void> | void;
  flush?: () => Promise<void> | void;
}

function play(
  sink: Sink,
  tolerance: Partial<Tolerance> = {},
  more: Partial<SharedSinkLoopParts> = {},
): Played {
  const group = new PlayedGroup();
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const ending = new AbortController();
  const gate = new Gate(lease, ending.signal);
  const calls = new PluginCalls(60_000, ignore);
  const full: Tolerance = { ...DEFAULT_TOLERANCE, retryDelayMaxMs: 10, ...tolerance };
  const identity = {
    fromConnectData: () => null,
    toConnectData: (_: string, value: unknown) => ({ schema: null, value }),
  };
  const loop = new SharedSinkLoop({
    task: {
      start: ignore,
      stop: ignore,
      put: async (records: readonly SinkRecord[]) => {
        const values = records.map(({ value }) => String(value));
        await sink.put?.(values);
        group.acts.push(`put ${values.join(' ')}`);
      },
      flush: async () => {
        await sink.flush?.();
        group.acts.push('flush');
      },
    },
    calls,
    gate,
    signal: ending.signal,
    consumer: group,
    counters: taskCounters().sink,
    errors: new RecordErrors(full, silent, ending.signal, ignore),
    tolerance: full,
    conversion: {
      chain: null,
      keyConverter: { input: 'text', instance: identity },
      valueConverter: { input: 'text', instance: identity },
      headerConverter: { input: 'text', instance: identity },
    },
    throttle: throttlingOf({}),
    maxRecords: 500,
    maxAttempts: 16,
    flushIntervalMs: 1,
    signals: NO_SIGNALS,
    changes: UNCHANGED,
    onPaused: ignore,
    onDelivered: ignore,
    onNotAcked: ignore,
    ...more,
  });
  gate.setTarget('RUNNING');
  const ended = loop.run().then(
    () => null,
    (error: unknown) => error,
  );
  const stop = async (): Promise<void> => {
    ending.abort();
    await ended;
    calls.close();
  };
  stops.push(stop);
  const did = async (act: string): Promise<void> => {
    await until(
      `"${act}"`,
      () => group.acts.includes(act) || Promise.reject(new Error(group.acts.join(', '))),
    );
  };
  return { group, gate, lease, ended, did, stop };
}

test('records are acknowledged after the flush that followed their put, and not before', async () => {
  let flushes = 0;
  const { group, did, stop } = play({
    flush: () => {
      if ((flushes += 1) < 3) throw new RetriableError('the disk is busy');
    },
  });
  group.hand(['a', 1], ['b', 1]);
  await did('ack a b');
  await stop();
  assert.deepEqual(group.acts, ['put a b', 'flush', 'ack a b', 'close']);
  assert.ok(flushes >= 3);
});

test('what the sink cannot take now is given back for later, and the next records are tried', async () => {
  const { group, did } = play({
    put: (values) => {
      if (values.includes('bad')) throw new RetriableError('not now');
    },
  });
  group.hand(['bad', 1], ['beside it', 1]);
  group.hand(['good', 1]);
  await did('ack good');
  assert.deepEqual(group.acts, ['release bad beside it', 'put good', 'flush', 'ack good']);
});

test('within errors.retry.timeout the records are kept and tried again here', async () => {
  let tries = 0;
  const { group, did } = play(
    {
      put: () => {
        if ((tries += 1) < 4) throw new RetriableError('not now');
      },
    },
    { retryTimeoutMs: -1 },
  );
  group.hand(['a', 1]);
  await did('ack a');
  assert.deepEqual(group.acts, ['put a', 'flush', 'ack a']);
});

test('a record that came the third time is put and acknowledged alone, after the others', async () => {
  const { group, did } = play({
    put: (values) => {
      if (values.includes('bad')) throw new RetriableError('never');
    },
  });
  group.hand(['new', 1], ['old', 3], ['bad', 5], ['older', 4], ['again', 2]);
  await did('ack older');
  assert.deepEqual(group.acts, [
    'put new again',
    'flush',
    'ack new again',
    'put old',
    'flush',
    'ack old',
    'release bad',
    'put older',
    'flush',
    'ack older',
  ]);
});

test('an error that is not retriable ends the loop, and nothing of the put is acknowledged', async () => {
  const fatal = new Error('broken');
  const { group, ended } = play(
    {
      put: (values) => {
        if (values.includes('bad')) throw fatal;
      },
    },
    {},
    { flushIntervalMs: 60_000 },
  );
  group.hand(['a', 1]);
  group.hand(['bad', 1]);
  assert.equal(await ended, fatal);
  assert.deepEqual(group.acts, ['put a', 'close']);
});

test('a record that cannot be converted ends the loop, or is skipped and acknowledged where errors are tolerated', async () => {
  const failing = {
    chain: {
      apply: () => {
        throw new Error('no such field');
      },
    },
    keyConverter: {
      input: 'text' as const,
      instance: { fromConnectData: () => null, toConnectData: () => ({ schema: null, value: null }) },
    },
    valueConverter: {
      input: 'text' as const,
      instance: { fromConnectData: () => null, toConnectData: () => ({ schema: null, value: null }) },
    },
    headerConverter: {
      input: 'text' as const,
      instance: { fromConnectData: () => null, toConnectData: () => ({ schema: null, value: null }) },
    },
  };
  const strict = play({}, {}, { conversion: failing });
  strict.group.hand(['a', 1]);
  assert.match(String(await strict.ended), /no such field/);
  assert.deepEqual(strict.group.acts, ['close']);
  const tolerant = play({}, { tolerance: 'all' }, { conversion: failing });
  tolerant.group.hand(['a', 1]);
  await tolerant.did('ack a');
  assert.ok(!tolerant.group.acts.includes('put '));
});

test('without its lease it puts nothing, flushes nothing and gives back what it holds', async () => {
  let lose = ignore;
  const { group, lease, did, stop } = play(
    {
      put: (values) => {
        if (values.includes('first')) lose();
      },
    },
    {},
    { flushIntervalMs: 60_000 },
  );
  lose = () => renewLease(lease, 0);
  group.hand(['first', 1]);
  await did('suspend');
  await stop();
  assert.deepEqual(group.acts, ['put first', 'suspend', 'close']);
});

test('paused it flushes and acknowledges what was put, and gives back the rest', async () => {
  const { group, gate, did } = play({}, {}, { flushIntervalMs: 60_000 });
  group.hand(['a', 1]);
  await did('put a');
  gate.setTarget('PAUSED');
  await did('suspend');
  assert.deepEqual(group.acts, ['put a', 'flush', 'ack a', 'suspend']);
  group.hand(['b', 1]);
  gate.setTarget('RUNNING');
  await did('put b');
});

for (const retryTimeoutMs of [0, -1])
  test(`paused while its far end is away it gives back what it holds; errors.retry.timeout ${retryTimeoutMs}`, async () => {
    let tries = 0;
    const { group, gate, did } = play(
      {
        put: () => {
          tries += 1;
          throw new RetriableError('the far end is away', { retryAfterMs: 3_600_000 });
        },
      },
      { retryTimeoutMs },
    );
    group.hand(['a', 1]);
    await until('it has tried', () => tries === 1);
    gate.setTarget('PAUSED');
    await did('suspend');
    assert.deepEqual(group.acts, ['release a', 'suspend']);
    assert.equal(tries, 1);
  });

test('with many records put it flushes before its time, and takes no more while it cannot', async () => {
  let broken = true;
  const { group, did } = play(
    {
      flush: () => {
        if (broken) throw new RetriableError('the disk is full');
      },
    },
    {},
    { flushIntervalMs: 200 },
  );
  const batch = Array.from({ length: 5000 }, (_, i) => [String(i), 1] as const);
  for (let i = 0; i < 3; i += 1) group.hand(...batch);
  await until('two batches are taken', () => group.batches.length === 1);
  await assert.rejects(until('the third is taken', () => group.batches.length === 0, 500));
  broken = false;
  await until('it is taken', () => group.batches.length === 0);
  await did('flush');
});

test('of shared records put together the bad one is skipped where that is tolerated, and all are acknowledged', async () => {
  const { group, did } = play(
    {
      put: (values) => {
        if (values.includes('b')) throw new DataError('b is bad');
      },
    },
    { tolerance: 'all' },
  );
  group.hand(['a', 1], ['b', 1], ['c', 1]);
  await did('ack a b c');
  assert.deepEqual(
    group.acts.filter((act) => act.startsWith('put')),
    ['put a', 'put c'],
  );
});

test('each shared record is counted once: as put, as dropped by a transform, or as skipped', async () => {
  const { counters, counts } = readCounters();
  const skipped = new SkippedRecords(silent, ignore, counters.skipped);
  const identity = {
    fromConnectData: () => null,
    toConnectData: (_: string, value: unknown) => ({ schema: null, value }),
  };
  const chain = {
    apply: <R extends ConnectRecord>(record: R): R | null => {
      if (record.value === 'unreadable') throw new DataError('not this one');
      return record.value === 'unwanted' ? null : record;
    },
  };
  const tolerance: Tolerance = { ...DEFAULT_TOLERANCE, tolerance: 'all' };
  const { group } = play(
    {
      put: (values) => {
        if (values.includes('bad')) throw new DataError('not this one either');
      },
    },
    tolerance,
    {
      counters: counters.sink,
      errors: new RecordErrors(tolerance, silent, new AbortController().signal, ignore, skipped),
      conversion: {
        chain,
        keyConverter: { input: 'text', instance: identity },
        valueConverter: { input: 'text', instance: identity },
        headerConverter: { input: 'text', instance: identity },
      },
    },
  );
  group.hand(['good', 1], ['unreadable', 1], ['unwanted', 1]);
  group.hand(['bad', 1]);
  // Perhaps together with the others.
  await until('all are acknowledged', () => group.acts.some((act) => /^ack .*\bbad$/.test(act)));
  skipped.close();
  const { sink_records_read_total: read, sink_records_put_total: put, ...others } = counts();
  assert.deepEqual([read, put], [4, 1]);
  assert.equal(others['sink_records_filtered_total'], 1);
  assert.equal(others['task_records_skipped_total'], 2);
});
