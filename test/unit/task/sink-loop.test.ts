/** The loop of a sink over a log that is away for a while. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Gate } from '#troupe/actors/task/gate.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import { SinkQueue } from '#troupe/actors/task/sink/sink-queue.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { SinkLoop, type SinkLoopParts } from '#troupe/actors/task/sink/sink-loop.js';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { DEFAULT_TOLERANCE } from '#troupe/core/tolerance.js';
import { LogError, type ReadRequest, type ReadResult } from '#troupe/log/log.js';
import { RetriableError } from '#troupe/sdk/errors.js';
import { batchOf } from '../../conformance/log-batches.js';
import { until } from '../../support/wait.js';

const ignore = (): void => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };

interface Played {
  readonly ended: Promise<unknown>;
  readonly gate: Gate;
  readonly loop: SinkLoop;
  readonly said: string[];
}

/** Puts `a` and `b`; the loop ends with the test. */
function play(
  t: TestContext,
  commit: SinkLoopParts['commit'],
  put: (values: readonly unknown[], played: Played) => Promise<void> | void = ignore,
  readFrom: (request: ReadRequest) => Promise<ReadResult> = read,
): Played {
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const ending = new AbortController();
  const { signal } = ending;
  const gate = new Gate(lease, signal);
  const said: string[] = [];
  const calls = new PluginCalls(60_000, ignore);
  const instance = {
    fromConnectData: () => null,
    toConnectData: (_: string, value: unknown) => ({ schema: null, value }),
  };
  const reader = new SinkQueue(
    {
      log: { read: readFrom },
      topic: 't',
      queue: 0,
      maxBytes: 1000,
      waitMs: 1000,
      signal,
      onData: () => {
        loop.wake();
      },
      onAway: () => Promise.resolve(),
      onBack: ignore,
      onError: ignore,
    },
    0,
  );
  const loop: SinkLoop = new SinkLoop({
    task: {
      start: ignore,
      put: (records) =>
        put(
          records.map(({ value }) => value),
          played,
        ),
      flush: ignore,
      stop: ignore,
    },
    calls,
    gate,
    signal,
    readers: [reader],
    errors: new RecordErrors(DEFAULT_TOLERANCE, silent, signal, (call) => said.push(call ?? 'recovered')),
    conversion: {
      chain: null,
      keyConverter: { input: 'text', instance },
      valueConverter: { input: 'text', instance },
    },
    maxRecords: 500,
    flushIntervalMs: 1,
    commit,
    onPaused: (paused) => said.push(paused ? 'paused' : 'running'),
    onDelivered: ignore,
  });
  gate.setTarget('RUNNING');
  const ended = loop.run().then(
    () => null,
    (error: unknown) => error,
  );
  t.after(async () => {
    ending.abort();
    await ended;
    calls.close();
  });
  const played: Played = { ended, gate, loop, said };
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
    (request) => {
      reads += 1;
      return read(request);
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
