import assert from 'node:assert/strict';
import fs from 'node:fs';
import { appendFile, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import type { SourceRecord } from '#troupe/sdk/index.js';
import type { SourceHarness } from '#troupe/sdk/testing/index.js';
import { until } from '../../support/wait.js';
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

test('a file moved out of its folder is finished, and goes on where it was left when it comes back', () =>
  withSource({ files: 'in/*.csv' }, async ({ folder, harness, take }) => {
    const path = join(folder, 'in', 'x.csv');
    const moved = join(folder, 'x.csv');
    await mkdir(join(folder, 'in'));
    await writeFile(path, 'a\n');
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    await appendFile(path, 'b\nlast');
    await rename(path, moved);
    const values = (records: readonly SourceRecord[]): unknown[] => records.map(({ value }) => value);
    // Not accepted: what the task knows of the file is newer than its durable position.
    assert.deepEqual(values(await harness.collect(2)), ['b', 'last']);
    await until('the file is let go of', async () => {
      assert.deepEqual(await harness.poll(), []);
      return harness.log.lines.some(({ message }) => message.startsWith('finished a file'));
    });
    await rename(moved, path);
    assert.deepEqual(await harness.poll(), []);
    await appendFile(path, ' of all\nc\n');
    assert.deepEqual(await take(2), [' of all', 'c']);
  }));

/** The file under `key` of the warning that holds `word`. */
function warned(harness: SourceHarness, word: string, key: string): unknown {
  const said = harness.log.lines.find(({ level, message }) => level === 'warn' && message.includes(word));
  return said?.fields?.[key];
}

test('what was compressed before it was read is named in a warning, and what was read before is not', () =>
  withSource({ 'rotate.wait.ms': '100' }, async ({ path, harness, take }) => {
    await writeFile(`${path}.1.gz`, 'read long ago');
    await utimes(`${path}.1.gz`, 1e9, 1e9);
    await writeFile(path, 'a\n');
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    await rename(path, `${path}.1`);
    await writeFile(path, 'c\n');
    assert.deepEqual(await take(1), ['c']);
    assert.equal(warned(harness, 'compressed', 'compressed'), undefined);
    // The one at hand is compressed while it is open; so is the one that comes after it.
    await rm(path);
    await writeFile(`${path}.3.gz`, 'c');
    await writeFile(`${path}.2.gz`, 'd');
    await utimes(`${path}.2.gz`, 4e9, 4e9);
    await writeFile(path, 'e\n');
    assert.deepEqual(await take(1), ['e']);
    assert.deepEqual(warned(harness, 'compressed', 'compressed'), [`${path}.2.gz`]);
  }));

test('where times go back between rotations, files that may have come in between are named in a warning', async () => {
  for (const backwards of [true, false]) {
    await withSource({}, async ({ path, harness, take }) => {
      await writeFile(path, 'a\n');
      await harness.start();
      assert.deepEqual(await take(1), ['a']);
      await harness.stop();
      await rename(path, `${path}.2`);
      if (backwards) await utimes(`${path}.2`, 4e9, 4e9);
      await writeFile(`${path}.1`, 'b\n');
      await writeFile(path, 'c\n');
      await harness.start();
      assert.deepEqual(await take(backwards ? 1 : 2), backwards ? ['c'] : ['b', 'c']);
      const named = warned(harness, 'times of files go back', 'files');
      assert.deepEqual(named, backwards ? [`${path}.1`] : undefined);
    });
  }
});
