import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { withSource } from './with-source.js';

test('with a start from the end, files of a folder that could be read only later are new when they were made later', (t) =>
  withSource({ files: 'logs/*.log', 'start.from': 'end' }, async ({ folder, harness, take }) => {
    await mkdir(join(folder, 'hidden'));
    await writeFile(join(folder, 'hidden', 'a.log'), 'old\n');
    await symlink('logs', join(folder, 'logs'));
    // The clock of files goes on meanwhile.
    const startedAt = Date.now() + 1000;
    const clock = t.mock.method(Date, 'now', () => startedAt);
    await harness.start();
    clock.mock.restore();
    await assert.rejects(harness.poll(), { code: 'FILE_NOT_READABLE' });
    while (Date.now() < startedAt) await assert.rejects(harness.poll(), { code: 'FILE_NOT_READABLE' });
    await writeFile(join(folder, 'hidden', 'b.log'), 'new\n');
    await rm(join(folder, 'logs'));
    await rename(join(folder, 'hidden'), join(folder, 'logs'));
    assert.deepEqual(await take(1), ['new']);
    await appendFile(join(folder, 'logs', 'a.log'), 'more\n');
    assert.deepEqual(await take(1), ['more']);
    const said = harness.log.lines.filter(({ message }) => message.startsWith('a file was there when'));
    assert.equal(said.length, 1);
  }));
