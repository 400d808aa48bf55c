import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { LogError } from '#troupe/log/log.js';

import { assertCode } from '../../conformance/log.suite.js';
import { batchOf, readTexts } from '../../conformance/log-batches.js';
import { random } from '../../support/random.js';
import { fillDisk, mountSmallDisk, NO_SMALL_DISK } from '../../support/small-disk.js';
import { KEPT, newFolder, openStore } from './support.js';

test('a full disk: the append is refused whole, and the log goes on when there is room again', async (t) => {
  const disk = mountSmallDisk(t, 16);
  if (disk === null) return t.skip(NO_SMALL_DISK);
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(8 * 1024 * 1024, 1));
  const store = await EmbeddedStore.open({ dir: join(disk, 'log') });
  try {
    await store.createTopic('data', { queues: 1, ...KEPT });
    await store.createTopic('position', { queues: 1, ...KEPT });
    let appended = 0;
    const append = async (): Promise<void> => {
      await store.append({
        entries: [
          { topic: 'data', queue: 0, batch: batchOf([`${appended}`, 'x'.repeat(500_000)]) },
          { topic: 'position', queue: 0, batch: batchOf([`${appended}`]) },
        ],
      });
      appended++;
    };
    await assertCode(
      (async () => {
        for (;;) await append();
      })(),
      'LOG_FULL',
    );
    assert.ok(appended > 5, `${appended} appended; free: ${statfsSync(disk).bavail}`);
    assert.equal((await store.ranges('data'))[0]?.endOffset, appended * 2);
    assert.equal((await store.ranges('position'))[0]?.endOffset, appended);
    assert.equal((await readTexts(store, 'data')).length, appended * 2);
    await assertCode(append(), 'LOG_FULL');
    rmSync(ballast);
    for (let i = 0; i < 5; i++) await append();
    assert.deepEqual(
      await readTexts(store, 'position'),
      Array.from({ length: appended }, (_, i) => `${i}`),
    );
  } finally {
    await store.close();
  }
});

test('a full disk that is written to again and again does not end the process', async (t) => {
  const disk = mountSmallDisk(t, 24);
  if (disk === null) return t.skip(NO_SMALL_DISK);
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const store = await openStore(t, { dir: join(disk, 'log') });
  await store.createTopic('data', { queues: 4, ...KEPT });
  const texts = (): string[] => Array.from({ length: 1 + next(20) }, () => 'x'.repeat(next(20_000)));
  const append = (): Promise<unknown> => {
    const entries = [...Array(1 + next(4)).keys()].map((queue) => ({
      topic: 'data',
      queue,
      batch: batchOf(texts()),
    }));
    return store.append({ entries });
  };
  for (let refused = 0; refused < 200;) {
    try {
      await append();
    } catch (error) {
      assert.ok(error instanceof LogError && error.code === 'LOG_FULL', String(error));
      refused += 1;
    }
    // Now and then somebody leaves a little room.
    if (refused % 20 === 0) rmSync(join(disk, 'beside'), { force: true });
    else if (refused % 20 === 1) fillDisk(join(disk, 'beside'));
  }
});

test('a store that was put back without its lock file is not opened on a full disk, where that would end the process', async (t) => {
  const disk = mountSmallDisk(t, 4);
  if (disk === null) return t.skip(NO_SMALL_DISK);
  const kept = newFolder(t);
  const store = await openStore(t, { dir: kept });
  await store.createTopic('data', { queues: 1, ...KEPT });
  await store.close();
  const dir = join(disk, 'log');
  mkdirSync(dir);
  for (const name of ['data.mdb', 'format']) copyFileSync(join(kept, name), join(dir, name));
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(bavail * bsize));
  await assertCode(EmbeddedStore.open({ dir }), 'LOG_FULL');
  rmSync(join(disk, 'ballast'));
  assert.notEqual(await (await openStore(t, { dir })).describeTopic('data'), null);
});

test('a disk that takes no writes is refused with what to look at', async (t) => {
  const disk = mountSmallDisk(t, 4);
  if (disk === null) return t.skip(NO_SMALL_DISK);
  mkdirSync(join(disk, 'log'));
  execFileSync('mount', ['-o', 'remount,ro', disk]);
  await assert.rejects(EmbeddedStore.open({ dir: join(disk, 'log') }), (error) => {
    assert.ok(error instanceof LogError && error.code === 'LOG_IO', String(error));
    assert.match(error.message, /takes no writes \(read-only\)/);
    return true;
  });
});
