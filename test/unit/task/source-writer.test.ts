/** What a source appends, over a store that has too much to write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceWriter } from '#troupe/actors/task/source/source-writer.js';
import { batchOf, readTexts } from '../../conformance/log-batches.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';

test('a source whose append was refused, as too much waits to be written, appends it again and once', async (t) => {
  const store = await openStore(t, { dir: newFolder(t), maxPendingBytes: 100 });
  for (const topic of ['numbers', 'positions', 'others'])
    await store.createTopic(topic, { queues: 1, ...KEPT });
  let before: Promise<unknown> = Promise.resolve();
  let refusals = 0;
  const writer = new SourceWriter({
    log: store,
    limits: { maxRecords: 10, maxBytes: 1000, lingerMs: 0 },
    positionEntry: () => ({ topic: 'positions', queue: 0, batch: batchOf(['at 1']) }),
    exact: null,
    fence: { key: 'c/0', epoch: 1 },
    retry: async () => {
      refusals += 1;
      await before;
    },
    onAppended: () => undefined,
  });
  writer.add('numbers', 0, null, 'one', 0, null);
  writer.moved({}, { at: 1 });
  before = store.append({ entries: [{ topic: 'others', queue: 0, batch: batchOf(['x'.repeat(500)]) }] });
  await writer.drain();
  assert.equal(refusals, 1);
  assert.deepEqual(await readTexts(store, 'numbers'), ['one']);
  assert.deepEqual(await readTexts(store, 'positions'), ['at 1']);
});
