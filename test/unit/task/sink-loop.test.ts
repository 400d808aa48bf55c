/** The loop of a sink over a log that is away for a while. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Gate } from '#troupe/actors/task/gate.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { SinkQueue, type QueueStart } from '#troupe/actors/task/sink/sink-queue.js';
import { SinkQueues } from '#troupe/actors/task/sink/sink-queues.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { SinkLoop, type SinkLoopParts } from '#troupe/actors/task/sink/sink-loop.js';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { LogError, type ReadRequest, type ReadResult } from '#troupe/log/log.js';
import { RetriableError } from '#troupe/sdk/errors.js';
import type { QueueOffset, SinkTask } from '#troupe/sdk/plugin.js';
import { batchOf } from '../../conformance/log-batches.js';
import { until } from '../../support/wait.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';
import { taskCounters } from '../../support/metrics.js';
import { NO_SIGNALS, throttlingOf, UNCHANGED } from '../../support/task-parts.js';

const ignore = (): void => undefined;
const NO_CHANGES = { areDue: false, apply: () => Promise.resolve(), end: () => Promise.resolve() };
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };

interface Played {
  readonly ended: Promise<unknown>;
  readonly gate: Gate;
  readonly loop: SinkLoop;
  readonly said: string[];
  /** What was warned of. */
  readonly warned: object[];
  /** As `from-to`. */
  readonly lost: string[];
  readonly stop: () => Promise<void>;
}

interface More {
  readonly readFrom?: (request: ReadRequest) => Promise<ReadResult>;
  readonly rewind?: SinkLoopParts['offsets']['rewind'];
  readonly preCommit?: SinkTask['preCommit'];
  readonly from?: QueueStart;
  readonly throttle?: SinkLoopParts['throttle'];
  readonly changes?: SinkLoopParts['changes'];
}

/** Puts `a` and `b`; the loop ends with the test. */
function play(
  t: TestContext,
  commit: SinkLoopParts['offsets']['commit'],
  put: (values: readonly unknown[], played: Played) => Promise<void> | void = ignore,
  { readFrom = read, rewind = () => Promise.resolve(), preCommit, from, throttle, changes }: More = {},
): Played {
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const ending = new AbortController();
  const { signal } = ending;
  const gate = new Gate(lease, signal);
  const said: string[] = [];
  const warned: object[] = [];
  const lost: string[] = [];
  const calls = new PluginCalls(60_000, ignore);
  const instance = {
    fromConnectData: () => null,
    toConnectData: (_: string, value: unknown) => ({ schema: null, value }),
  };
  const options = {
    log: { read: readFrom },
    topic: 't',
    queue: 0,
    maxBytes: () => 1000,
    waitMs: 1000,
    signal,
    onAway: () => Promise.resolve(),
    onBack: ignore,
    onLost: (first: number, to: number) => void lost.push(`${first}-${to}`),
  };
  const queues = new SinkQueues();
  const loop = new SinkLoop({
    task: {
      start: ignore,
      put: (records) =>
        put(
          records.map(({ value }) => value),
          played,
        ),
      flush: ignore,
      stop: ignore,
      ...(preCommit === undefined ? {} : { preCommit }),
    },
    calls,
    gate,
    signal,
    queues,
    queueChanges: NO_CHANGES,
    changes: changes ?? UNCHANGED,
    onUnreadable: () => false,
    counters: taskCounters().sink,
    errors: new RecordErrors(DEFAULT_TOLERANCE, silent, signal, (call, stall) =>
      said.push(stall === null ? 'recovered' : call),
    ),
    conversion: {
      chain: null,
      keyConverter: { input: 'text', instance },
      valueConverter: { input: 'text', instance },
      headerConverter: { input: 'text', instance },
    },
    maxRecords: 500,
    throttle: throttle ?? throttlingOf({}),
    flushIntervalMs: 1,
    offsets: { commit, rewind },
    log: { warn: (fields) => void warned.push(typeof fields === 'string' ? {} : fields) },
    signals: NO_SIGNALS,
    resting: null,
    onPaused: (paused) => said.push(paused ? 'paused' : 'running'),
    onDelivered: ignore,
  });
  queues.add([new SinkQueue(options, loop, from ?? { offset: 0, exact: true })]);
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
  t.after(stop);
  const played: Played = { ended, gate, loop, said, warned, lost, stop };
  return played;
}

async function read({ offset, signal }: ReadRequest): Promise<ReadResult> {
  const range = { startOffset: 0, endOffset: 2 };
  if (offset < 2)
    return { ...range, batches: [{ baseOffset: 0, batch: batchOf(['a', 'b']) }], nextOffset: 2 };
  await new Promise((resolve) => {
    signal?.addEventListener('abort', resolve, { once: true });
  });
  return { ...range, batches: [], nextOffset: 2 };
}

for (const code of ['LOG_UNAVAILABLE', 'LOG_FULL'] as const)
  test(`offsets that the log does not take now, ${code}, are committed when it takes them`, async (t) => {
    const committed: number[] = [];
    let tries = 0;
    play(t, async ([item]) => {
      tries += 1;
      if (tries < 3) throw new LogError(code, 'not now');
      committed.push(item?.offset ?? -1);
    });
    await until('they are committed', () => committed.length > 0);
    assert.deepEqual(committed, [2]);
  });

test('offsets that the log does not take when a sink is paused are committed while it is paused', async (t) => {
  const committed: number[] = [];
  let takes = false;
  const { gate, said } = play(t, async ([item]) => {
    if (!takes) throw new LogError('LOG_FULL', 'not now');
    committed.push(item?.offset ?? -1);
  });
  await until('it was tried', () => said.includes('commit'));
  gate.setTarget('PAUSED');
  await until('it is paused', () => said.includes('paused'));
  takes = true;
  await until('they are committed', () => committed.length > 0);
  assert.deepEqual(committed, [2]);
  assert.ok(!said.includes('running'));
});

test('a commit that is refused ends the task', async (t) => {
  const fenced = new LogError('LOG_FENCED', 'a newer owner writes');
  assert.equal(await play(t, () => Promise.reject(fenced)).ended, fenced);
});

test('a put that seeks back to its own first record gets its records again before they are committed', async (t) => {
  const puts: unknown[][] = [];
  const committed: string[] = [];
  play(
    t,
    async ([item]) => void committed.push(`${item?.offset} after ${puts.length} puts`),
    (values, { loop }) => {
      puts.push([...values]);
      if (puts.length < 3) loop.seek([{ topic: 't', queue: 0, offset: 0 }]);
    },
  );
  await until('it is committed', () => committed.length > 0);
  assert.deepEqual(puts, [
    ['a', 'b'],
    ['a', 'b'],
    ['a', 'b'],
  ]);
  assert.deepEqual(committed, ['2 after 3 puts']);
});

test('a seek back inside put counts also when its records have arrived anew before put returns', async (t) => {
  const puts: unknown[][] = [];
  let reads = 0;
  play(
    t,
    async () => undefined,
    async (values, { loop }) => {
      puts.push([...values]);
      if (puts.length > 1) return;
      // Ends the read that is under way, so that the seek is followed by the next one at once.
      await until('the read of what follows is under way', () => reads === 2);
      loop.seek([{ topic: 't', queue: 0, offset: 0 }]);
      await until('the records are read again', () => reads === 4);
    },
    {
      readFrom: (request) => {
        reads += 1;
        return read(request);
      },
    },
  );
  await until('they are put again', () => puts.length === 2);
});

test('a put that seeks back and asks to be called again gets its records from there', async (t) => {
  const puts: unknown[][] = [];
  play(
    t,
    async () => undefined,
    (values, { loop }) => {
      puts.push([...values]);
      if (puts.length > 1) return;
      loop.seek([{ topic: 't', queue: 0, offset: 1 }]);
      throw new RetriableError('not now', { retryAfterMs: 0 });
    },
  );
  await until('it is called again', () => puts.length === 2);
  assert.deepEqual(puts, [['a', 'b'], ['b']]);
});

test('a sink that is paused while its far end is away says so, and puts the same records when it is resumed', async (t) => {
  const puts: unknown[][] = [];
  const { gate, said } = play(
    t,
    async () => undefined,
    (values) => {
      puts.push([...values]);
      if (puts.length === 1) throw new RetriableError('the far end is away', { retryAfterMs: 3_600_000 });
    },
  );
  await until('it waits to try again', () => said.includes('put'));
  gate.setTarget('PAUSED');
  await until('it is paused', () => said.includes('paused'));
  assert.deepEqual(said, ['put', 'recovered', 'paused']);
  assert.equal(puts.length, 1);
  gate.setTarget('RUNNING');
  await until('they are put', () => puts.length === 2);
  assert.deepEqual(puts[1], ['a', 'b']);
});

test('a seek back is durable before what it leads to is put, also when the put that asked for it fails the task', async (t) => {
  const acts: string[] = [];
  const rewind: SinkLoopParts['offsets']['rewind'] = async ([to]) => void acts.push(`back to ${to?.offset}`);
  const commit = async ([item]: readonly { offset: number }[]): Promise<void> =>
    void acts.push(`commit ${item?.offset}`);
  const again = play(
    t,
    commit,
    (values, { loop }) => {
      acts.push(`put ${values.join(' ')}`);
      if (acts.length === 1) loop.seek([{ topic: 't', queue: 0, offset: 1 }]);
    },
    { rewind },
  );
  await until('it is committed', () => acts.length >= 4);
  await again.stop();
  assert.deepEqual(acts, ['put a b', 'back to 1', 'put b', 'commit 2']);

  acts.length = 0;
  const failing = play(
    t,
    commit,
    (_values, { loop }) => {
      loop.seek([{ topic: 't', queue: 0, offset: 1 }]);
      throw new Error('lost what it had');
    },
    { rewind },
  );
  assert.match(String(await failing.ended), /lost what it had/);
  assert.deepEqual(acts, ['back to 1']);
});

test('a seek back in the middle of a flush wins over the offsets that are flushed', async (t) => {
  const acts: string[] = [];
  let asked = false;
  const played = play(t, async ([item]) => void acts.push(`commit ${item?.offset}`), ignore, {
    rewind: async ([to]) => void acts.push(`back to ${to?.offset}`),
    preCommit: (flushed) => {
      if (!asked) played.loop.seek([{ topic: 't', queue: 0, offset: 0 }]);
      asked = true;
      return flushed;
    },
  });
  await until('it is committed', () => acts.length >= 2);
  await played.stop();
  assert.deepEqual(acts, ['back to 0', 'commit 2']);
});

test('the rest is put only when the log has taken a seek back', async (t) => {
  const acts: string[] = [];
  play(
    t,
    () => Promise.resolve(),
    (values, { loop }) => {
      acts.push(`put ${values.join(' ')}`);
      if (acts.length === 1) loop.seek([{ topic: 't', queue: 0, offset: 0 }]);
    },
    {
      rewind: () => {
        acts.push('back');
        return acts.length < 4 ? Promise.reject(new LogError('LOG_FULL', 'not now')) : Promise.resolve();
      },
    },
  );
  await until('it is put', () => acts.length === 5);
  assert.deepEqual(acts, ['put a b', 'back', 'back', 'back', 'put a b']);
});

test('offsets that a sink cannot know are ignored and said, the others of its answer are committed', async (t) => {
  const committed: unknown[] = [];
  const at = (offset: number, topic = 't', queue = 0): QueueOffset => ({ topic, queue, offset });
  const bad = [at(3), at(Number.NaN), at(1, 'other'), at(1, 't', 7), at(-1), at(0.5)];
  const { warned } = play(t, async (items) => void committed.push(items), ignore, {
    preCommit: () => [...bad, at(1)],
  });
  await until('it is committed', () => committed.length > 0);
  assert.deepEqual(committed[0], [at(1)]);
  const said = warned.slice(0, bad.length).map((fields) => ('cause' in fields ? fields.cause : null));
  assert.deepEqual(said, [
    'the sink was given records up to 2 only',
    'it is not an offset',
    'the task does not read this queue',
    'the task does not read this queue',
    'it is not an offset',
    'it is not an offset',
  ]);
});

test('a seek to a queue of another task is ignored and said', async (t) => {
  const puts: unknown[] = [];
  const { warned } = play(
    t,
    () => Promise.resolve(),
    (values, { loop }) => {
      if (puts.length === 0) loop.seek([{ topic: 't', queue: 5, offset: 0 }]);
      puts.push(values);
    },
  );
  await until('it is put', () => puts.length > 0);
  assert.equal(warned.length, 1);
});

test('records that retention took before they were read are counted, and those before the beginning are not', async (t) => {
  const trimmed = async ({ offset, signal }: ReadRequest): Promise<ReadResult> => {
    const range = { startOffset: 10, endOffset: 12 };
    if (offset < 12)
      return { ...range, batches: [{ baseOffset: 10, batch: batchOf(['a', 'b']) }], nextOffset: 12 };
    return read({
      topic: 't',
      queue: 0,
      offset: 12,
      maxBytes: 1,
      maxRecords: 1,
      waitMs: 1,
      ...(signal && { signal }),
    });
  };
  for (const [from, lost] of [
    [{ offset: 4, exact: true }, ['4-10']],
    [{ offset: 0, exact: true }, ['0-10']],
    [{ offset: 0, exact: false }, []],
    [{ offset: 11, exact: true }, []],
  ] as const) {
    let put = false;
    const played = play(
      t,
      () => Promise.resolve(),
      () => void (put = true),
      { readFrom: trimmed, from },
    );
    await until('it is put', () => put);
    assert.deepEqual(played.lost, lost);
  }
});

test('a throttled sink is given what its rate allows, and commits and stops meanwhile', async (t) => {
  let now = 0;
  const said: (string | null)[] = [];
  const throttle = throttlingOf(
    { recordsPerSecond: 1 },
    { now: () => now, note: (_code, message) => void said.push(message) },
  );
  t.after(() => {
    throttle.close();
  });
  const puts: unknown[][] = [];
  const committed: number[] = [];
  const { stop } = play(
    t,
    async ([item]) => void committed.push(item?.offset ?? -1),
    (values) => void puts.push([...values]),
    { throttle },
  );
  await until('it waits', () => said.length > 0);
  assert.deepEqual(puts, []);
  now = 1000;
  await until('the first is committed', () => committed.length > 0);
  assert.deepEqual([puts, committed], [[['a']], [1]]);
  await stop();
  assert.deepEqual(puts, [['a']]);
});

test('a sink that is throttled by bytes is given one record at least, however large', async (t) => {
  let now = 0;
  const throttle = throttlingOf({ bytesPerSecond: 0.5 }, { now: () => now });
  t.after(() => {
    throttle.close();
  });
  const puts: unknown[][] = [];
  play(
    t,
    async () => undefined,
    (values) => void puts.push([...values]),
    { throttle },
  );
  now = 3000;
  await until('the first', () => puts.length === 1);
  assert.deepEqual(puts, [['a']]);
  now = 60_000;
  await until('the second', () => puts.length === 2);
});

test('a config that has changed is taken while a put asks for another try, and the records are converted anew', async (t) => {
  let due = false;
  let by = 'old';
  const puts: unknown[][] = [];
  const played = play(
    t,
    async () => undefined,
    (values) => {
      puts.push(values.map((value) => `${String(value)} ${by}`));
      if (puts.length === 1) throw new RetriableError('not now', { retryAfterMs: 3_600_000 });
    },
    {
      changes: {
        get isDue() {
          return due;
        },
        take: () => {
          due = false;
          by = 'new';
          played.gate.release();
        },
      },
    },
  );
  await until('it waits', () => puts.length === 1);
  due = true;
  played.gate.hold();
  await until('they are put again', () => puts.length === 2);
  assert.deepEqual(puts, [
    ['a old', 'b old'],
    ['a new', 'b new'],
  ]);
  assert.ok(!played.said.includes('paused'), 'a change is no pause');
});
