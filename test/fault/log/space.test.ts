import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Staging } from '#troupe/log/embedded/staging.js';
import type { EmbeddedStore } from '#troupe/log/embedded/store.js';

import { assertCode } from '../../conformance/log.suite.js';
import { batchOf, readTexts } from '../../conformance/log-batches.js';
import { random } from '../../support/random.js';
import { KEPT, newFolder, openStore } from './support.js';

const KB = 1024;
const MB = 1024 * 1024;

async function append(store: EmbeddedStore, topic: string, bytes: number, queue = 0): Promise<void> {
  await store.append({ entries: [{ topic, queue, batch: batchOf(['x'.repeat(bytes)]) }] });
}

test('under steady retention the file stops growing', async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const dir = newFolder(t);
  const store = await openStore(t, { dir, retentionCheckMs: 0 });
  await store.createTopic('flow', { queues: 1, retentionMs: null, retentionBytes: 4 * MB });
  const fileSize = (): number => statSync(join(dir, 'data.mdb')).size;
  const sizes: number[] = [];
  for (let round = 0; round < 40; round++) {
    // Sizes differ, so that freed pages have to be found in pieces.
    await Promise.all(Array.from({ length: 12 }, () => append(store, 'flow', 20 * KB + next(200 * KB))));
    await store.applyRetention();
    sizes.push(fileSize());
  }
  assert.ok(store.figures().storedBytes <= 4 * MB);
  assert.ok(fileSize() <= 4 * 4 * MB, `the file grew to ${fileSize()}: ${sizes.join(' ')}`);
  assert.ok((sizes.at(-1) ?? 0) - (sizes[19] ?? 0) <= 2 * MB, `the file goes on growing: ${sizes.join(' ')}`);
});

test('retention by size keeps what a group of the topic has not read, also on a queue it has not touched', async (t) => {
  const store = await openStore(t, { dir: newFolder(t), retentionCheckMs: 0 });
  await store.createTopic('flow', { queues: 2, retentionMs: null, retentionBytes: 100 * KB });
  for (let i = 0; i < 10; i++) await append(store, 'flow', 50 * KB, i % 2);
  await store.commitOffsets('slow', [{ topic: 'flow', queue: 0, offset: 1 }]);
  await store.commitOffsets('fast', [
    { topic: 'flow', queue: 0, offset: 5 },
    { topic: 'flow', queue: 1, offset: 5 },
  ]);
  await store.applyRetention();
  assert.deepEqual(
    (await store.ranges('flow')).map(({ startOffset }) => startOffset),
    [1, 0],
  );
  await store.deleteGroup('slow');
  await store.applyRetention();
  assert.deepEqual(
    (await store.ranges('flow')).map(({ startOffset }) => startOffset),
    [4, 4],
  );
});

test('retention by size waits for a group from when it subscribes, also where the topic comes later', async (t) => {
  const store = await openStore(t, { dir: newFolder(t), retentionCheckMs: 0 });
  const small = { queues: 1, retentionMs: null, retentionBytes: 100 * KB };
  await store.createTopic('here', small);
  await store.subscribe('reader', ['here', 'later']);
  await store.createTopic('later', small);
  const starts = async (): Promise<unknown> => {
    for (const topic of ['here', 'later']) for (let i = 0; i < 5; i++) await append(store, topic, 50 * KB);
    await store.applyRetention();
    const ranges = [...(await store.ranges('here')), ...(await store.ranges('later'))];
    return ranges.map(({ startOffset }) => startOffset);
  };
  assert.deepEqual(await starts(), [0, 0], 'it has read nothing yet');
  assert.deepEqual(await store.listGroups(), ['reader']);
  await store.commitOffsets('reader', [{ topic: 'here', queue: 0, offset: 3 }]);
  assert.deepEqual(await starts(), [3, 0]);
  await store.deleteTopic('later');
  await store.createTopic('later', small);
  assert.deepEqual(await starts(), [3, 0], 'nor of one made anew');
  await store.deleteGroup('reader');
  assert.deepEqual(await store.listGroups(), []);
  assert.deepEqual(await starts(), [19, 9]);
});

test('a topic that a group does not read any more is not held by it, also when it commits late', async (t) => {
  const store = await openStore(t, { dir: newFolder(t), retentionCheckMs: 0 });
  const small = { queues: 1, retentionMs: null, retentionBytes: 100 * KB };
  const fill = async (topic: string): Promise<void> => {
    await store.createTopic(topic, small);
    for (let i = 0; i < 5; i++) await append(store, topic, 50 * KB);
  };
  const start = async (topic: string): Promise<number> => {
    await store.applyRetention();
    return (await store.ranges(topic))[0]?.startOffset ?? -1;
  };
  await store.subscribe('reader', ['left']);
  await fill('left');
  await store.commitOffsets('reader', [{ topic: 'left', queue: 0, offset: 1 }]);
  assert.equal(await start('left'), 1);
  await store.subscribe('reader', ['read']);
  await fill('read');
  await store.commitOffsets('reader', [{ topic: 'left', queue: 0, offset: 2 }]);
  assert.equal(await start('left'), 4);
  assert.equal(await start('read'), 0);
});

test('retention by age deletes whether it was read or not, and reading goes on behind', async (t) => {
  let now = 1_000_000;
  const store = await openStore(t, { dir: newFolder(t), retentionCheckMs: 0, clock: () => now });
  await store.createTopic('flow', { queues: 1, retentionMs: 1000, retentionBytes: null });
  await store.append({ entries: [{ topic: 'flow', queue: 0, batch: batchOf(['old', 'old']) }] });
  now += 800;
  await store.append({ entries: [{ topic: 'flow', queue: 0, batch: batchOf(['new']) }] });
  await store.commitOffsets('reader', [{ topic: 'flow', queue: 0, offset: 0 }]);
  now += 201;
  await store.applyRetention();
  const read = await store.read({
    topic: 'flow',
    queue: 0,
    offset: 0,
    maxBytes: MB,
    maxRecords: 10,
    waitMs: 0,
  });
  assert.deepEqual({ start: read.startOffset, next: read.nextOffset }, { start: 2, next: 3 });
  assert.deepEqual(await readTexts(store, 'flow'), ['new']);
});

test('a full log refuses records, takes entries of its own topics, and goes on when there is room', async (t) => {
  const store = await openStore(t, { dir: newFolder(t), maxBytes: MB });
  await store.createTopic('flow', { queues: 1, ...KEPT });
  await store.createTopic('own', { queues: 1, ...KEPT, reserve: true });
  let appended = 0;
  await assertCode(
    (async () => {
      for (; ; appended++) await append(store, 'flow', 50 * KB);
    })(),
    'LOG_FULL',
  );
  assert.ok(appended >= 15 && appended <= 18, `${appended} appended`);
  const both = store.append({
    entries: [
      { topic: 'own', queue: 0, batch: batchOf(['x']) },
      { topic: 'flow', queue: 0, batch: batchOf(['x'.repeat(50 * KB)]) },
    ],
  });
  await assertCode(both, 'LOG_FULL');
  assert.deepEqual((await store.ranges('own'))[0]?.endOffset, 0, 'half of the append was done');
  for (let i = 0; i < 60; i++) await append(store, 'own', 20 * KB);
  assert.ok(store.figures().storedBytes > MB, 'a snapshot that lets older entries go must have room');
  await store.trim('flow', 0, 2);
  await append(store, 'flow', 50 * KB);
  assert.equal((await store.ranges('flow'))[0]?.endOffset, appended + 1);
});

test('in a store that is nearly full, topics are not all looked at for each append, and those made later count', async (t) => {
  const store = await openStore(t, { dir: newFolder(t), maxBytes: MB });
  await store.createTopic('flow', { queues: 1, ...KEPT });
  await store.createTopic('own', { queues: 1, ...KEPT, reserve: true });
  for (let i = 0; i < 40; i++) await append(store, 'own', 20 * KB);
  await append(store, 'flow', 200 * KB);
  const scans = t.mock.method(Staging.prototype, 'scan');
  for (let i = 0; i < 20; i++) await append(store, 'flow', KB);
  assert.equal(scans.mock.callCount(), 0);
  await store.createTopic('later', { queues: 1, ...KEPT, reserve: true });
  for (let i = 0; i < 30; i++) await append(store, 'later', 20 * KB);
  await append(store, 'flow', 500 * KB);
  assert.equal(scans.mock.callCount(), 1);
  await assertCode(append(store, 'flow', 300 * KB), 'LOG_FULL');
  await store.deleteTopic('own');
  await assertCode(append(store, 'flow', 300 * KB), 'LOG_FULL');
});

test('a deleted topic’s space comes back, also when the deletion was cut short', async (t) => {
  const dir = newFolder(t);
  const store = await openStore(t, { dir });
  await store.createTopic('flow', { queues: 2, ...KEPT });
  await store.createTopic('other', { queues: 1, ...KEPT });
  await append(store, 'other', 10 * KB);
  for (let i = 0; i < 20; i++) await append(store, 'flow', 50 * KB, i % 2);
  const gone = store.deleteTopic('flow');
  await gone;
  await store.close();
  const again = await openStore(t, { dir });
  await again.applyRetention();
  assert.ok(again.figures().storedBytes < 20 * KB, `${again.figures().storedBytes} bytes are left`);
});
