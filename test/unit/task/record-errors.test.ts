import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { Gate } from '#troupe/actors/task/gate.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { SkippedRecords } from '#troupe/actors/task/skipped-records.js';
import { DataError, RetriableError } from '#troupe/sdk/errors.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';

const ignore = (): void => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silent };

/** As a plugin throws that carries a copy of the SDK of its own. */
function foreign(retryAfterMs: unknown): Error {
  return Object.assign(new Error('busy'), { name: 'RetriableError', retryAfterMs });
}

function failing(...errors: unknown[]): () => Promise<string> {
  return async () => {
    if (errors.length > 0) throw errors.shift();
    return 'done';
  };
}

test('a call that says it may succeed later is made again, whichever copy of the SDK its plugin has', async () => {
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const { signal } = new AbortController();
  const gate = new Gate(lease, signal);
  gate.setTarget('RUNNING');
  const told: (string | null)[] = [];
  const errors = new RecordErrors({ ...DEFAULT_TOLERANCE, retryDelayMaxMs: 1 }, silent, signal, (_, stall) =>
    told.push(stall?.cause ?? null),
  );
  const call = failing(
    new RetriableError('busy', { retryAfterMs: 0 }),
    foreign(0),
    foreign(undefined),
    foreign('soon'),
  );
  assert.equal(await errors.retrying('put', gate, call), 'done');
  assert.deepEqual(told, ['busy', 'busy', 'busy', 'busy', null]);
  for (const other of [new TypeError('x is not a function'), { name: 'RetriableError' }, null])
    await assert.rejects(errors.retrying('put', gate, failing(other)), (error) => error === other);
});

test('skipped records are said in the log and counted, at a bounded rate, whatever errors.log.enable says', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const said: { skipped: number; total: number; cause: string; offset: number }[] = [];
  const counts: number[] = [];
  const log = { ...silent, warn: (fields: object) => void said.push(fields as (typeof said)[number]) };
  const all = { ...DEFAULT_TOLERANCE, tolerance: 'all' } as const;
  const skipped = new SkippedRecords(log, (total) => void counts.push(total));
  const errors = new RecordErrors(all, log, new AbortController().signal, ignore, skipped);
  for (let offset = 0; offset < 1000; offset += 1)
    await errors.badRecord(new Error(`bad ${offset}`), { topic: 't', queue: 0, offset });
  assert.deepEqual(counts, [1]);
  t.mock.timers.tick(10_000);
  assert.deepEqual(counts, [1, 1000]);
  assert.deepEqual(
    said.map(({ skipped, total, cause, offset }) => [skipped, total, cause, offset]),
    [
      [1, 1, 'bad 0', 0],
      [999, 1000, 'bad 999', 999],
    ],
  );
  await errors.badRecord(new Error('the last'), { topic: 't', queue: 0, offset: 1000 });
  errors.close();
  assert.equal(said.length, 3, 'the end of the task leaves nothing unsaid');
});

test('a bad record that is not tolerated fails with where it is, and the code of its error', async () => {
  const errors = new RecordErrors(DEFAULT_TOLERANCE, silent, new AbortController().signal, ignore);
  const place = { topic: 'orders', queue: 1, offset: 7 };
  await assert.rejects(errors.badRecord(new DataError('no id', { code: 'NO_ID' }), place), (error) => {
    assert.ok(error instanceof DataError);
    assert.equal(error.code, 'NO_ID');
    assert.match(error.message, /no id.*"topic":"orders","queue":1,"offset":7/);
    return true;
  });
});

test('what waits for an answer is called again as soon as it is there, and nobody is told', async () => {
  const lease = createLease();
  renewLease(lease, monotonicMs() + 3_600_000);
  const { signal } = new AbortController();
  const gate = new Gate(lease, signal);
  gate.setTarget('RUNNING');
  const warned: string[] = [];
  const log = { ...silent, warn: (_fields: object, text: string) => void warned.push(text) };
  const errors = new RecordErrors({ ...DEFAULT_TOLERANCE, retryDelayMaxMs: 1 }, log, signal, (call) =>
    warned.push(call),
  );
  const waiting = (): { error: RetriableError; answer: (fails: boolean) => void } => {
    let resolve: (value: null) => void = ignore;
    let reject: (error: Error) => void = ignore;
    const promise = new Promise<null>((done, failed) => {
      resolve = done;
      reject = failed;
    });
    return {
      error: new RetriableError('asked', { ready: promise }),
      answer: (fails) => (fails ? reject(new Error('away')) : resolve(null)),
    };
  };
  const [first, second] = [waiting(), waiting()];
  const calls = failing(second.error);
  const place = { topic: 't', queue: 0, offset: 1 };
  let tries = 0;
  const done = errors.recover(
    first.error,
    gate,
    () => {
      tries += 1;
      if (tries === 1) second.answer(false);
      return calls();
    },
    place,
  );
  first.answer(true);
  assert.equal(await done, 'done');
  assert.deepEqual([tries, warned], [2, []]);
});
