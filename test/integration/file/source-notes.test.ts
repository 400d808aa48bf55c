import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../support/wait.js';
import { withSource } from './with-source.js';

test('files that are missing stand in the notes, as many as there are, until they come', () =>
  withSource({ files: 'a.log,b.log' }, async ({ folder, harness, take }) => {
    await harness.start();
    await harness.poll();
    assert.deepEqual(
      [...harness.said.notes],
      [['FILE_MISSING', `waiting for files that do not exist: 2, the last: ${join(folder, 'b.log')}`]],
    );
    await writeFile(join(folder, 'b.log'), 'b\n');
    assert.deepEqual(await take(1), ['b']);
    assert.match(harness.said.notes.get('FILE_MISSING') ?? '', /: 1, the last: .*a\.log$/);
    await writeFile(join(folder, 'a.log'), 'a\n');
    assert.deepEqual(await take(1), ['a']);
    assert.deepEqual([...harness.said.notes], []);
  }));

test('patterns that nothing matches stand in the notes until something does', () =>
  withSource({ files: 'x/*.log,*.txt' }, async ({ folder, harness, take }) => {
    await harness.start();
    assert.deepEqual(
      [...harness.said.notes],
      [['FILE_NO_MATCH', `patterns that no file matches: 2, the last: ${join(folder, '*.txt')}`]],
    );
    await writeFile(join(folder, 'a.txt'), 'a\n');
    assert.deepEqual(await take(1), ['a']);
    assert.deepEqual([...harness.said.notes], []);
  }));

test('what cannot be read stands in the notes, with the cause, until it can, or is not there any more', () =>
  withSource({ files: '*.log,bad.txt' }, async ({ folder, path, harness, take }) => {
    const bad = join(folder, 'bad.txt');
    // Nobody can open a link to itself, not even who may read everything.
    await symlink(bad, bad);
    await writeFile(path, 'a\n');
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    await until('it was tried', async () => {
      await harness.poll();
      return harness.said.notes.size > 0;
    });
    assert.deepEqual(
      [...harness.said.notes],
      [
        [
          'FILE_NOT_READABLE',
          `files or folders that cannot be read, and are tried again: 1, the last: cannot read ${bad} (ELOOP)`,
        ],
      ],
    );
    await rm(bad);
    await writeFile(bad, 'b\n');
    assert.deepEqual(await take(1), ['b']);
    assert.deepEqual([...harness.said.notes], []);
  }));

test('lines that are left out are counted in the notes, with the last place', () =>
  withSource(
    { format: 'json', 'on.bad.line': 'skip', 'max.line.bytes': '20', 'on.long.line': 'skip' },
    async ({ path, harness, take }) => {
      const lines = ['bad', '1', 'bad', `"${'x'.repeat(30)}"`, 'bad', '2'];
      await writeFile(path, `${lines.join('\n')}\n`);
      await harness.start();
      assert.deepEqual((await take(2)).map(String), ['1', '2']);
      assert.deepEqual(
        [...harness.said.notes],
        [
          [
            'FILE_BAD_LINE',
            `lines left out that are not JSON, or hold what cannot be read: 3, the last: before byte 47 of ${path}`,
          ],
          [
            'FILE_LINE_TOO_LONG',
            `lines left out that are longer than max.line.bytes: 1, the last: before byte 43 of ${path}`,
          ],
        ],
      );
    },
  ));

test('a file that went away before it was read to its end is in the notes', () =>
  withSource({}, async ({ folder, path, harness, take }) => {
    await writeFile(path, 'a\n');
    await harness.start();
    await take(1);
    await harness.stop();
    await appendFile(path, 'lost\n');
    await mkdir(join(folder, 'away'));
    await rename(path, join(folder, 'away/app.log'));
    await writeFile(path, 'b\n');
    await harness.start();
    assert.deepEqual(await take(1), ['b']);
    assert.match(
      harness.said.notes.get('FILE_PASSED_OVER') ?? '',
      /: 1, the last: .*app\.log, from byte 2 on: it is gone$/,
    );
  }));
