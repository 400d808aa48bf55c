import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { RetriableError, within } from '#troupe/sdk/index.js';

const ended = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve(signal.reason);
    });
  });

test('work ends after its time, or with the task and for its reason, and leaves nothing in the signal', async () => {
  const task = new AbortController();
  const late = await within(5, task.signal, ended);
  assert.ok(late instanceof RetriableError && late.code === 'TIMED_OUT');
  assert.equal(await within(60_000, task.signal, async () => 7), 7);
  await assert.rejects(
    within(60_000, task.signal, () => Promise.reject(new Error('refused'))),
    /refused/,
  );
  const reason = new Error('told to stop');
  const stopped = within(60_000, task.signal, ended);
  task.abort(reason);
  assert.equal(await stopped, reason);
  await assert.rejects(within(60_000, task.signal, ended), reason);
  assert.equal(getEventListeners(task.signal, 'abort').length, 0);
});
