import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ALL, batchOf, readTexts } from '../../conformance/log-batches.js';
import { KEPT, newFolder, openStore, startWriter } from './support.js';

/** Longer than a test may take: a read that was not woken does not end in time. */
const NEVER_MS = 3_600_000;
const WAKES = { timeout: 120_000 } as const;

test('three processes and this one append to one queue: each record once, no gaps, each in its own order', async (t) => {
  const dir = newFolder(t);
  const store = await openStore(t, { dir });
  for (const topic of ['data', 'position']) await store.createTopic(topic, { queues: 1, ...KEPT });
  const appends = 60;
  const names = ['p0', 'p1', 'p2'];
  const writers = names.map((name) => startWriter(t, dir, name, 3, appends));
  for (let i = 0; i < appends; i++) {
    await store.append({ entries: [{ topic: 'data', queue: 0, batch: batchOf([`here:${i}:0`]) }] });
  }
  assert.deepEqual(await Promise.all(writers.map(({ exited }) => exited)), [0, 0, 0]);
  const texts = await readTexts(store, 'data');
  assert.equal(texts.length, appends * (3 * 3 + 1));
  assert.deepEqual(await store.ranges('data'), [{ queue: 0, startOffset: 0, endOffset: texts.length }]);
  for (const [name, size] of [
    ['p0', 3],
    ['p1', 3],
    ['p2', 3],
    ['here', 1],
  ] as const) {
    const expected = Array.from(
      { length: appends * size },
      (_, i) => `${name}:${Math.floor(i / size)}:${i % size}`,
    );
    assert.deepEqual(
      texts.filter((text) => text?.startsWith(`${name}:`)),
      expected,
    );
  }
  for (const [i, writer] of writers.entries()) {
    for (const [number, base] of writer.acknowledged) assert.equal(texts[base], `${names[i]}:${number}:0`);
  }
});

test(
  'a waiting read wakes by the file event of another process, also between own commits',
  WAKES,
  async (t) => {
    const dir = newFolder(t);
    // Without the slow check: only the event can wake it.
    const store = await openStore(t, { dir, changeCheckMs: NEVER_MS });
    for (const topic of ['data', 'position', 'own']) await store.createTopic(topic, { queues: 1, ...KEPT });
    let waiting = true;
    const read = store.read({ topic: 'data', queue: 0, offset: 0, ...ALL, waitMs: NEVER_MS });
    const own = (async () => {
      while (waiting) await store.append({ entries: [{ topic: 'own', queue: 0, batch: batchOf(['x']) }] });
    })();
    const writer = startWriter(t, dir, 'w', 1, 1);
    const result = await read;
    waiting = false;
    await own;
    assert.equal(result.nextOffset, 1);
    assert.equal(await writer.exited, 0);
  },
);

test('a waiting read wakes by the slow check where files have no events', WAKES, async (t) => {
  const dir = newFolder(t);
  const store = await openStore(t, { dir, changeCheckMs: 50, watchFile: false });
  for (const topic of ['data', 'position']) await store.createTopic(topic, { queues: 1, ...KEPT });
  const read = store.read({ topic: 'data', queue: 0, offset: 0, ...ALL, waitMs: NEVER_MS });
  const writer = startWriter(t, dir, 'w', 1, 1);
  assert.equal((await read).nextOffset, 1);
  assert.equal(await writer.exited, 0);
});
