import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertCode } from '../../conformance/log.suite.js';
import { batchOf } from '../../conformance/log-batches.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';

test('a wait for many queues is told of each place of the queue that got a record', async (t) => {
  const store = await openStore(t, { dir: newFolder(t) });
  await store.createTopic('t', { queues: 2, ...KEPT });
  const places = [0, 1, 0].map((queue) => ({ topic: 't', queue, offset: 0 }));
  const found = store.awaitRecords(places, 60_000);
  await store.append({ entries: [{ topic: 't', queue: 0, batch: batchOf(['x']) }] });
  assert.deepEqual(await found, { readable: [0, 2], gone: [] });
  assert.deepEqual(await store.awaitRecords(places.slice(1, 2), 0), { readable: [], gone: [] });
});

test('a wait for a topic that another process made anew is told that it is gone, though there is one of its name', async (t) => {
  const dir = newFolder(t);
  // It looks rarely, so that it sees both changes at once.
  const store = await openStore(t, { dir, watchFile: false, changeCheckMs: 1000 });
  await store.createTopic('t', { queues: 1, ...KEPT });
  const other = await openStore(t, { dir });
  const found = store.awaitRecords([{ topic: 't', queue: 0, offset: 0 }], 10_000);
  await other.deleteTopic('t');
  await other.createTopic('t', { queues: 1, ...KEPT });
  assert.deepEqual(await found, { readable: [], gone: [0] });
});

test('more reads than may wait are refused, and others take the place of those that have ended', async (t) => {
  const store = await openStore(t, { dir: newFolder(t), maxParkedReads: 2 });
  await store.createTopic('t', { queues: 1, ...KEPT });
  const end = new AbortController();
  const read = (signal: AbortSignal): Promise<unknown> =>
    store.read({ topic: 't', queue: 0, offset: 0, maxBytes: 1000, maxRecords: 10, waitMs: 60_000, signal });
  const ended = assert.rejects(read(end.signal), /enough/);
  const other = new AbortController();
  const waiting = store.awaitRecords([{ topic: 't', queue: 0, offset: 0 }], 60_000, other.signal);
  await assertCode(read(end.signal), 'LOG_UNAVAILABLE');
  end.abort(new Error('enough'));
  await ended;
  const last = read(other.signal);
  await store.append({ entries: [{ topic: 't', queue: 0, batch: batchOf(['x']) }] });
  await Promise.all([waiting, last]);
  assert.equal(store.figures().parkedReads, 0);
});
