import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { EmbeddedStore } from '#troupe/log/embedded/store.js';

import { assertCode } from '../../conformance/log.suite.js';
import { batchOf, readTexts } from '../../conformance/log-batches.js';
import { KEPT, newFolder, openStore } from './support.js';

test('a store whose folder was deleted or replaced refuses every write, says so once, and goes on when it is put back', async (t) => {
  const parent = newFolder(t);
  const dir = join(parent, 'log');
  const said: string[] = [];
  const store = await openStore(t, { dir, onLost: (error) => said.push(error.message) });
  await store.createTopic('data', { queues: 1, ...KEPT });
  const append = (text: string): Promise<unknown> =>
    store.append({ entries: [{ topic: 'data', queue: 0, batch: batchOf([text]) }] });
  await append('before');
  renameSync(dir, join(parent, 'aside'));
  for (const work of [
    () => append('lost'),
    () => store.createTopic('other', { queues: 1, ...KEPT }),
    () => store.fence({ key: 'k', epoch: 1 }),
    () => store.commitOffsets('g', [{ topic: 'data', queue: 0, offset: 1 }]),
  ])
    await assertCode(work(), 'LOG_CORRUPT');
  mkdirSync(dir);
  writeFileSync(join(dir, 'data.mdb'), 'of somebody else');
  await assertCode(append('lost'), 'LOG_CORRUPT');
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /data\.mdb was deleted, or another file put in its place/);
  rmSync(dir, { recursive: true });
  renameSync(join(parent, 'aside'), dir);
  await append('after');
  assert.deepEqual(await readTexts(store, 'data'), ['before', 'after']);
});

test('a store that was open before is not begun anew where its file is gone', async (t) => {
  const dir = join(newFolder(t), 'log');
  await assertCode(EmbeddedStore.open({ dir, mustExist: true }), 'LOG_CORRUPT');
  assert.equal(existsSync(dir), false);
});
