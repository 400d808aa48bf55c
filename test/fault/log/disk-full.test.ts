import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { EmbeddedStore } from '#troupe/log/embedded/store.js';

import { assertCode } from '../../conformance/log.suite.js';
import { batchOf, readTexts } from '../../conformance/log-batches.js';
import { KEPT } from './support.js';

/** A small disk, where this machine lets us have one. */
function mountSmallDisk(t: TestContext, megabytes: number): string | null {
  const dir = mkdtempSync(join(tmpdir(), 'troupe-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    rmSync(dir, { recursive: true });
    return null;
  }
  t.after(() => {
    execFileSync('umount', ['-l', dir]);
    rmSync(dir, { recursive: true });
  });
  return dir;
}

test('a full disk: the append is refused whole, and the log goes on when there is room again', async (t) => {
  const disk = mountSmallDisk(t, 16);
  if (disk === null) return t.skip('needs the right to mount a tmpfs (root)');
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
