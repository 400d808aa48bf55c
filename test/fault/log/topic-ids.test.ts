import assert from 'node:assert/strict';
import { test } from 'node:test';

import { open } from 'lmdb';

import { KEPT, newFolder, openStore } from './support.js';

test('a topic of another store has another id, also where both began with the same name and number', async (t) => {
  const [one, two] = [await openStore(t, { dir: newFolder(t) }), await openStore(t, { dir: newFolder(t) })];
  const ids = await Promise.all(
    [one, two].map(async (store) => (await store.createTopic('orders', { queues: 1, ...KEPT })).id),
  );
  assert.notEqual(ids[0], ids[1]);
});

test('topics that an older release has created get ids, which stay', async (t) => {
  const [older, other] = [newFolder(t), newFolder(t)];
  for (const dir of [older, other]) await asOlderRelease(t, dir);
  const first = await openStore(t, { dir: older });
  const ids = (await first.listTopics()).map(({ id }) => id);
  await first.close();
  const again = await openStore(t, { dir: older });
  assert.deepEqual(
    (await again.listTopics()).map(({ id }) => id),
    ids,
  );
  assert.deepEqual(
    ids.map((id) => typeof id),
    ['string', 'string'],
  );
  const elsewhere = (await (await openStore(t, { dir: other })).listTopics()).map(({ id }) => id);
  assert.equal(new Set([...ids, ...elsewhere]).size, 4);
});

async function asOlderRelease(t: Parameters<typeof newFolder>[0], dir: string): Promise<void> {
  const store = await openStore(t, { dir });
  for (const name of ['orders', 'invoices']) await store.createTopic(name, { queues: 1, ...KEPT });
  await store.close();
  const root = open<Buffer>({ path: `${dir}/data.mdb`, noSubdir: true, encoding: 'binary' });
  const data = root.openDB<Buffer>({ name: 'log', encoding: 'binary' });
  await data.remove(['m', 'id']);
  for (const [i, name] of ['orders', 'invoices'].entries())
    await data.put(
      ['t', name],
      Buffer.from(JSON.stringify({ id: i + 1, queues: 1, ...KEPT, reserve: false })),
    );
  await root.close();
}
