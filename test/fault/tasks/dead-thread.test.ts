import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startSource } from '#troupe/actors/task/source/source-task.js';
import type { Log } from '#troupe/log/log.js';
import { sourceRecord } from '#troupe/sdk/index.js';
import { readTexts } from '../../conformance/log-batches.js';
import { loadedSource, taskParts } from '../../support/task-parts.js';
import { until } from '../../support/wait.js';
import { KEPT, newFolder, openStore } from '../log/support.js';

const UNIT = 'numbers/0';
const RECORDS = ['1', '2', '3'];

let starts = 0;

/** Always the same records, as there is no position yet. */
const loaded = loadedSource(
  () => {
    let polled = false;
    return {
      start: () => {
        starts += 1;
      },
      poll: () => {
        if (polled) return [];
        polled = true;
        return RECORDS.map((value) =>
          sourceRecord({ value, sourcePartition: {}, sourcePosition: { at: value } }),
        );
      },
      stop: () => undefined,
    };
  },
  { limits: { maxRecords: RECORDS.length, maxBytes: 10_000, lingerMs: 0 } },
);

/** One start of the task's thread, within one claim. */
async function startThread(
  t: TestContext,
  incarnation: number,
  log: Log,
  opened: (epoch: number) => Promise<void>,
  { leaseMs = 3_600_000, stop = new AbortController() } = {},
): Promise<void> {
  const parts = taskParts({ unit: UNIT, log, incarnation, leaseMs, stop, opened });
  const { done } = await startSource(parts, loaded);
  t.after(async () => {
    parts.calls.close();
    stop.abort();
    await done.catch(() => undefined);
  });
}

test('what a dead thread has left on its way to the log changes nothing once its successor has begun', async (t) => {
  const store = await openStore(t, { dir: newFolder(t) });
  for (const topic of ['numbers', 'positions']) await store.createTopic(topic, { queues: 1, ...KEPT });
  const fence = (epoch: number): Promise<void> => store.fence({ key: UNIT, epoch });
  const append = store.append.bind(store);
  let deliver: (() => Promise<unknown>) | null = null;
  store.append = (request) =>
    new Promise((resolve, reject) => {
      deliver = () => append(request).then(resolve, reject);
    });
  await startThread(t, 1, store, fence);
  const late = await until('the first thread has appended', () => deliver);
  store.append = append;
  await startThread(t, 2, store, fence);
  await until('the second thread has delivered', async () => (await readTexts(store, 'numbers')).length >= 3);
  await late();
  assert.deepEqual(await readTexts(store, 'numbers'), RECORDS);
});

test('a thread that finds the lease lost when it has opened does not start the plugin', async (t) => {
  const store = await openStore(t, { dir: newFolder(t) });
  const stop = new AbortController();
  starts = 0;
  const opened = (): Promise<void> => {
    stop.abort();
    return Promise.resolve();
  };
  await assert.rejects(startThread(t, 1, store, opened, { leaseMs: -1, stop }), /told to stop before/);
  assert.equal(starts, 0);
});
