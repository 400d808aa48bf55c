import assert from 'node:assert/strict';
import { test } from 'node:test';

import { batchOf, readTexts } from '../../conformance/log-batches.js';
import { random } from '../../support/random.js';
import { until } from '../../support/wait.js';
import { KEPT, newFolder, openStore, startWriter } from './support.js';

const ROUNDS = 6;
const RECORDS = 50;

test('a process killed while it writes: what it was told is there, each batch with its position or neither', async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const dir = newFolder(t);
  // Stays open over all kills: a lock that a dead process held must not hang it.
  const store = await openStore(t, { dir });
  for (const topic of ['data', 'position', 'own']) await store.createTopic(topic, { queues: 1, ...KEPT });
  for (let round = 0; round < ROUNDS; round++) {
    const writer = startWriter(t, dir, `w${round}`, RECORDS, 0);
    const enough = 1 + next(60);
    await until(`${enough} appends are acknowledged`, () => writer.acknowledged.size >= enough, 120_000);
    writer.kill();
    await writer.exited;
    await store.append({ entries: [{ topic: 'own', queue: 0, batch: batchOf([`${round}`]) }] });

    const all = await readTexts(store, 'data');
    const texts = all.filter((text) => text?.startsWith(`w${round}:`));
    const positions = (await readTexts(store, 'position')).filter((text) => text?.startsWith(`w${round}:`));
    const written = new Map(positions.map((text, i) => [Number(text?.split(':')[1]), i]));
    for (const [number, base] of writer.acknowledged) {
      assert.ok(written.has(number), `append ${number} was acknowledged, its position is lost`);
      assert.equal(all[base], `w${round}:${number}:0`);
    }
    assert.equal(new Set(written.keys()).size, positions.length, 'a position stands twice');
    const expected = [...written.keys()].flatMap((number) =>
      Array.from({ length: RECORDS }, (_, i) => `w${round}:${number}:${i}`),
    );
    assert.deepEqual([...texts].sort(), expected.sort(), 'batches and positions do not agree');
  }
  assert.deepEqual(
    await readTexts(store, 'own'),
    Array.from({ length: ROUNDS }, (_, i) => `${i}`),
  );
});
