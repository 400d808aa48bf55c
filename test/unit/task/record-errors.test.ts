import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import { Gate } from '#troupe/actors/task/gate.js';
import { RecordErrors } from '#troupe/actors/task/record-errors.js';
import { DEFAULT_TOLERANCE } from '#troupe/core/tolerance.js';
import { RetriableError } from '#troupe/sdk/errors.js';

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
  const errors = new RecordErrors({ ...DEFAULT_TOLERANCE, retryDelayMaxMs: 1 }, silent, signal, (call) =>
    told.push(call),
  );
  const call = failing(
    new RetriableError('busy', { retryAfterMs: 0 }),
    foreign(0),
    foreign(undefined),
    foreign('soon'),
  );
  assert.equal(await errors.retrying('put', gate, call), 'done');
  assert.deepEqual(told, ['put', 'put', 'put', 'put', null]);
  for (const other of [new TypeError('x is not a function'), { name: 'RetriableError' }, null])
    await assert.rejects(errors.retrying('put', gate, failing(other)), (error) => error === other);
});
