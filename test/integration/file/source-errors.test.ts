import assert from 'node:assert/strict';
import fs from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { mock, test } from 'node:test';
import { withSource } from './with-source.js';

type Done = (error: Error | null, bytes: number) => void;

/** The next read of so many bytes fails while `body` runs. */
async function withFailedRead(bytes: number, body: () => Promise<void>): Promise<void> {
  const read = fs.read;
  let failed = false;
  const reads = mock.method(
    fs,
    'read',
    (fd: number, into: Buffer, at: number, length: number, from: number, done: Done) => {
      if (failed || length !== bytes) {
        read(fd, into, at, length, from, done);
        return;
      }
      failed = true;
      done(Object.assign(new Error('EIO: made up'), { code: 'EIO' }), 0);
    },
  );
  syncBuiltinESMExports();
  try {
    await body();
    assert.ok(failed, 'there was such a read');
  } finally {
    reads.mock.restore();
    syncBuiltinESMExports();
  }
}

test('a renamed file is gone on with, though the first read where it was left fails', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, 'a\nb\n');
    await harness.start();
    await harness.accept((await harness.collect(2)).slice(0, 1));
    await harness.stop();
    await rename(path, `${path}.1`);
    await writeFile(path, 'c\n');
    await withFailedRead('a\n'.length, async () => {
      await harness.start();
      assert.deepEqual(await take(2), ['b', 'c']);
    });
  }));
