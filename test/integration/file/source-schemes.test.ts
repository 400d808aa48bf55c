import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../support/wait.js';
import { withSource } from './with-source.js';

/** How two rotations name the files, the older one first. */
const SCHEMES = {
  logrotate: ['app.log.2', 'app.log.1'],
  'logrotate with a date': ['app.log-20261129-1796009851', 'app.log-20261129-1796013451'],
  'logback by date and index': ['app.log.2026-11-29.0', 'app.log.2026-11-29.1'],
  'logback before the extension': ['app-2026-11-29.0.log', 'app-2026-11-29.1.log'],
  lumberjack: ['app-2026-11-29T10-00-00.123.log', 'app-2026-11-29T11-00-00.456.log'],
  log4j2: ['app-11-29-2026-1.log', 'app-11-29-2026-2.log'],
  pm2: ['app__2026-11-29_10-00-00.log', 'app__2026-11-29_11-00-00.log'],
  "Python's TimedRotatingFileHandler": ['app.log.2026-11-29_10-00', 'app.log.2026-11-29_10-01'],
  'the file sink': ['app.000001.log', 'app.000002.log'],
  'months in words': ['app.30Nov2026.log', 'app.1Dec2026.log'],
  'a date in front': ['2026-11-29-app.log', '2026-11-30-app.log'],
} as const;

/** Two rotations, each with an unread line, beside files that have nothing to do with them. */
async function rotateTwice(folder: string, path: string, older: string, newer: string): Promise<void> {
  await appendFile(path, 'B\n');
  await rename(path, join(folder, older));
  await writeFile(path, 'C\n');
  for (const name of ['app-errors.log', 'app-errors.log.1', 'apple.1.log'])
    await writeFile(join(folder, name), 'not ours\n');
  await rename(path, join(folder, newer));
  await writeFile(path, 'D\n');
}

for (const [scheme, [older, newer]] of Object.entries(SCHEMES)) {
  test(`two rotations by ${scheme} lose nothing, while the task is down or runs`, async () => {
    await withSource({}, async ({ folder, path, harness, take }) => {
      await writeFile(path, 'A\n');
      await harness.start();
      assert.deepEqual(await take(1), ['A']);
      await harness.stop();
      await rotateTwice(folder, path, older, newer);
      await harness.start();
      assert.deepEqual(await take(3), ['B', 'C', 'D']);
      assert.deepEqual(await harness.poll(), []);
    });
    await withSource({}, async ({ folder, path, harness, take }) => {
      await writeFile(path, 'A\n');
      await harness.start();
      assert.deepEqual(await take(1), ['A']);
      await rotateTwice(folder, path, older, newer);
      assert.deepEqual(await take(3), ['B', 'C', 'D']);
      assert.deepEqual(await harness.poll(), []);
    });
  });
}

test('java.util.logging counts up from the followed file itself', () =>
  withSource({ files: 'app0.log' }, async ({ folder, harness, take }) => {
    const path = join(folder, 'app0.log');
    await writeFile(path, 'A\n');
    await harness.start();
    assert.deepEqual(await take(1), ['A']);
    await harness.stop();
    await rotateTwice(folder, path, 'app2.log', 'app1.log');
    await harness.start();
    assert.deepEqual(await take(3), ['B', 'C', 'D']);
  }));

test('numbered files of other programs are not taken for pieces of a file that was rotated otherwise', () =>
  withSource({ files: 'app0.log' }, async ({ folder, harness, take }) => {
    const path = join(folder, 'app0.log');
    await writeFile(path, 'A\n');
    await harness.start();
    assert.deepEqual(await take(1), ['A']);
    await rename(path, `${path}.1`);
    for (const name of ['app1.log', 'app1.log.1', 'app2.log'])
      await writeFile(join(folder, name), 'not ours\n');
    await writeFile(path, 'B\n');
    assert.deepEqual(await take(1), ['B']);
    assert.deepEqual(await harness.poll(), []);
  }));

test('where the file that was read is deleted, those that came after it are read', () =>
  withSource({}, async ({ folder, path, harness, take }) => {
    await writeFile(path, 'A\n');
    await harness.start();
    await take(1);
    // Only a later change tells when a file was made.
    await until('the position says when the file was made', async () => {
      await appendFile(path, 'a\n');
      await take(1);
      const file = harness.positions[0]?.position['file'];
      return typeof file === 'object' && file !== null && 'made' in file;
    });
    await harness.stop();
    await rotateTwice(folder, path, 'app.log.2', 'app.log.1');
    await rm(`${path}.2`);
    await harness.start();
    assert.deepEqual(await take(2), ['C', 'D']);
    assert.ok(harness.log.lines.some(({ level, message }) => level === 'warn' && /is gone/.test(message)));
  }));

test('a file that is rotated behind a link, as the logs of containers are, is read to its end', () =>
  withSource({ files: 'links/*.log' }, async ({ folder, harness, take }) => {
    const pod = join(folder, 'pods', 'web');
    const log = join(pod, '0.log');
    await mkdir(pod, { recursive: true });
    await mkdir(join(folder, 'links'));
    await writeFile(log, 'A\n');
    await symlink(log, join(folder, 'links', 'web.log'));
    await harness.start();
    assert.deepEqual(await take(1), ['A']);
    await appendFile(log, 'B\n');
    await rename(log, `${log}.20261129-101010`);
    await writeFile(log, 'C\n');
    await rename(log, `${log}.20261129-111111`);
    await writeFile(log, 'D\n');
    assert.deepEqual(await take(3), ['B', 'C', 'D']);
    await harness.stop();
    await rename(log, `${log}.20261129-121212`);
    await writeFile(log, 'E\n');
    await rename(log, `${log}.20261129-131313`);
    await writeFile(log, 'F\n');
    await harness.start();
    assert.deepEqual(await take(2), ['E', 'F']);
    assert.deepEqual(await harness.poll(), []);
  }));

test('a link that points to a new dated file each day loses no day in between', () =>
  withSource({}, async ({ folder, path, harness, take }) => {
    const day = async (name: string, line: string): Promise<void> => {
      await writeFile(join(folder, name), line);
      await rm(path, { force: true });
      await symlink(name, path);
    };
    await day('app-2026-11-29.log', 'A\n');
    await harness.start();
    assert.deepEqual(await take(1), ['A']);
    await harness.stop();
    await appendFile(join(folder, 'app-2026-11-29.log'), 'B\n');
    await day('app-2026-11-30.log', 'C\n');
    await day('app-2026-12-01.log', 'D\n');
    await harness.start();
    assert.deepEqual(await take(3), ['B', 'C', 'D']);
    assert.deepEqual(await harness.poll(), []);
  }));

test('files that rotation moves into another folder are found there when that is named', () =>
  withSource({ 'rotated.folders': 'old' }, async ({ folder, path, harness, take }) => {
    await mkdir(join(folder, 'old'));
    await writeFile(path, 'A\n');
    await harness.start();
    assert.deepEqual(await take(1), ['A']);
    await harness.stop();
    await rotateTwice(folder, path, 'old/app.log.2', 'old/app.log.1');
    await harness.start();
    assert.deepEqual(await take(3), ['B', 'C', 'D']);
  }));
