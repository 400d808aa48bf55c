import assert from 'node:assert/strict';
import fs from 'node:fs';
import { appendFile, rename, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { mock, test } from 'node:test';
import { withSource } from './with-source.js';

type Opened = (error: NodeJS.ErrnoException | null, fd: number) => void;

/** While `body` runs, nobody can open `path`. Through the file system, root always could. */
async function withoutAccess(path: string, body: () => Promise<void>): Promise<void> {
  const open = fs.open;
  const denied = mock.method(fs, 'open', (asked: string, flags: number, callback: Opened) => {
    if (asked !== path) open(asked, flags, callback);
    else callback(Object.assign(new Error(`EACCES: ${path}`), { code: 'EACCES' }), -1);
  });
  syncBuiltinESMExports();
  try {
    await body();
  } finally {
    denied.mock.restore();
    syncBuiltinESMExports();
  }
}

test('a rotated file that cannot be opened for a while is read before what came after it', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, 'a\n');
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    await harness.stop();
    await rename(path, `${path}.2`);
    await writeFile(`${path}.1`, 'b\n');
    await writeFile(path, 'c\n');
    await withoutAccess(`${path}.1`, async () => {
      await harness.start();
      await assert.rejects(harness.poll(), { code: 'FILE_NOT_READABLE', message: /app\.log\.1 \(EACCES\)/ });
    });
    assert.deepEqual(await take(2), ['b', 'c']);
  }));

test('files that were finished stay finished when the path is made anew and the task restarts', () =>
  withSource({ files: 'app.log*' }, async ({ path, harness, take }) => {
    await writeFile(path, 'a\n');
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    await rename(path, `${path}.1`);
    await writeFile(path, 'b\n');
    assert.deepEqual(await take(1), ['b']);
    await rm(path);
    assert.deepEqual(await harness.poll(), []);
    await writeFile(path, 'c\n');
    assert.deepEqual(await take(1), ['c']);
    await harness.stop();
    await harness.start();
    await appendFile(path, 'd\n');
    assert.deepEqual(await take(1), ['d']);
    assert.deepEqual(await harness.poll(), []);
  }));
