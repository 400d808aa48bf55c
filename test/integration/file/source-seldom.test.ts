import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { withSource } from './with-source.js';

/** An hour: nothing but what the system reports, or what a scan finds, is seen in a test. */
const SELDOM = { 'poll.interval.ms': '3600000' };

test('files are looked at as seldom as they are to be, but at once when the system reports a change', () =>
  withSource(SELDOM, async ({ folder, path, harness, take }) => {
    await mkdir(join(folder, 'real'));
    const real = join(folder, 'real', 'app.log');
    await writeFile(real, 'a\n');
    // Changes behind it are reported to nobody who watches the link's folder.
    await symlink(real, path);
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    // What the link's making has reported.
    assert.deepEqual(await harness.poll(), []);
    await appendFile(real, 'b\n');
    for (let poll = 0; poll < 2; poll += 1) assert.deepEqual(await harness.poll(), []);
    await writeFile(join(folder, 'other'), '');
    assert.deepEqual(await take(1), ['b']);
  }));

test('a folder that cannot be read is tried again soon, and what is found in it is read at once', () =>
  withSource({ ...SELDOM, files: 'logs/*.log' }, async ({ folder, harness, take }) => {
    await mkdir(join(folder, 'hidden'));
    await writeFile(join(folder, 'hidden', 'a.log'), 'a\n');
    // Nobody can read it, not even who may read everything.
    await symlink('logs', join(folder, 'logs'));
    await harness.start();
    await assert.rejects(harness.poll(), { code: 'FILE_NOT_READABLE' });
    await rm(join(folder, 'logs'));
    await rename(join(folder, 'hidden'), join(folder, 'logs'));
    assert.deepEqual(await take(1), ['a']);
  }));
