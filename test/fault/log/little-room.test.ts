/** A disk that is full, without one: what the store asks of it is answered as by a small one. See disk-full.test.ts, too. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { BALLAST_FILE, reserveBytes } from '#troupe/core/disk-room.js';
import type { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { LogError } from '#troupe/log/log.js';

import { assertCode } from '../../conformance/log.suite.js';
import { batchOf, readTexts } from '../../conformance/log-batches.js';
import { LimitedDisk } from '../../support/limited-disk.js';
import { random } from '../../support/random.js';
import { KEPT, newFolder, openStore } from './support.js';

const MB = 1024 * 1024;
const DISK = 64 * MB;
const RESERVE = reserveBytes(DISK);

interface SmallStore {
  readonly store: EmbeddedStore;
  readonly disk: LimitedDisk;
  readonly ballast: () => number;
}

async function smallStore(t: TestContext): Promise<SmallStore> {
  const dir = newFolder(t);
  const disk = new LimitedDisk(dir, DISK);
  const store = await openStore(t, { dir, disk, retentionCheckMs: 0 });
  await store.createTopic('flow', { queues: 1, retentionMs: null, retentionBytes: MB });
  await store.createTopic('own', { queues: 1, ...KEPT, reserve: true });
  const ballast = (): number => statSync(join(dir, BALLAST_FILE), { throwIfNoEntry: false })?.size ?? 0;
  while (ballast() < RESERVE) await own(store);
  return { store, disk, ballast };
}

const append = (store: EmbeddedStore, topic: string, bytes: number): Promise<readonly number[]> =>
  store.append({ entries: [{ topic, queue: 0, batch: batchOf(['x'.repeat(bytes)]) }] });

const own = (store: EmbeddedStore): Promise<readonly number[]> => append(store, 'own', 200);

/** How many records it took. */
async function fill(store: EmbeddedStore, bytes: number): Promise<number> {
  for (let taken = 0; ; taken += 1) {
    try {
      await append(store, 'flow', bytes);
    } catch (error) {
      assert.ok(error instanceof LogError && error.code === 'LOG_FULL', String(error));
      return taken;
    }
  }
}

test('records stop before the disk is full, and what the node writes itself goes on when others fill the rest', async (t) => {
  const { store, disk, ballast } = await smallStore(t);
  disk.beside = 16 * MB;
  assert.ok((await fill(store, 500_000)) > 30);
  assert.ok(disk.free >= RESERVE, `free: ${disk.free}`);
  assert.equal(ballast(), RESERVE, 'records take nothing of it');
  disk.beside += disk.free;
  await assertCode(append(store, 'flow', 10), 'LOG_FULL');
  await store.commitOffsets('reader', [{ topic: 'flow', queue: 0, offset: 3 }]);
  await store.fence({ key: 'unit', epoch: 1 });
  await append(store, 'own', MB);
  for (let i = 0; i < 500; i += 1) await own(store);
  await store.trim('own', 0, 100);
  await store.createTopic('late', { queues: 1, ...KEPT });
  await store.deleteTopic('late');
  await store.deleteGroup('reader');
  assert.ok(ballast() < RESERVE, 'it was given up in part');
  assert.ok(disk.free >= 0, `${-disk.free} bytes more than the disk has`);
  await assertCode(append(store, 'flow', 10), 'LOG_FULL');
  disk.beside = 0;
  await append(store, 'flow', 10);
  while (ballast() < RESERVE) await own(store);
});

test('records go on in the room of those that were read, though the disk stays full', async (t) => {
  const { store, disk } = await smallStore(t);
  await store.subscribe('reader', ['flow']);
  const taken = await fill(store, 300_000);
  disk.beside = disk.free;
  for (let end = taken, round = 0; round < 5; round += 1) {
    await store.commitOffsets('reader', [{ topic: 'flow', queue: 0, offset: end }]);
    await store.applyRetention();
    const more = await fill(store, 300_000);
    assert.ok(more > taken / 2, `${more} of ${taken} found room`);
    end += more;
    assert.ok(disk.free >= 0, `${-disk.free} bytes more than the disk has`);
  }
  await own(store);
});

test('whatever comes, no commit is written that the disk has no room for, and the node’s own are not refused', async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const { store, disk } = await smallStore(t);
  const texts: string[] = [];
  await store.createTopic('kept', { queues: 1, ...KEPT });
  const ifRoom = async (work: Promise<unknown>): Promise<boolean> => {
    try {
      await work;
      return true;
    } catch (error) {
      assert.ok(error instanceof LogError && error.code === 'LOG_FULL', String(error));
      return false;
    }
  };
  for (let i = 0; i < 600; i += 1) {
    const act = next(10);
    if (act === 0)
      disk.beside = next(3) === 0 ? 0 : disk.beside + Math.max(0, disk.free - next(2) * next(8 * MB));
    else if (act === 1) {
      const text = `${i} ${'y'.repeat(next(20_000))}`;
      const batch = batchOf([text]);
      if (await ifRoom(store.append({ entries: [{ topic: 'kept', queue: 0, batch }] }))) texts.push(text);
    } else if (act < 7) await ifRoom(append(store, 'flow', next(4) === 0 ? next(MB) : next(5000)));
    else if (act < 9) await own(store);
    else {
      const [range] = await store.ranges('flow');
      await store.commitOffsets('reader', [{ topic: 'flow', queue: 0, offset: range?.endOffset ?? 0 }]);
      await store.applyRetention();
    }
    assert.ok(disk.free >= 0, `step ${i}: ${-disk.free} bytes more than the disk has`);
  }
  assert.deepEqual(await readTexts(store, 'kept'), texts);
});
