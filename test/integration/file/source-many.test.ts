import assert from 'node:assert/strict';
import fs from 'node:fs';
import { appendFile, readdir, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { KnownFiles } from '#troupe/connectors/file/source/known-files.js';
import { hashHead } from '#troupe/connectors/file/source/origin.js';
import { until } from '../../support/wait.js';
import { withSource } from './with-source.js';

const LINUX = process.platform === 'linux' ? false : 'counts open files in /proc';

/** Files below `folder` that this process has open. */
async function openBelow(folder: string): Promise<number> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  return links.filter((link) => link.startsWith(`${folder}/`)).length;
}

test(
  'of more files than may be open, those that are quiet are closed, and nothing is lost',
  { skip: LINUX },
  () =>
    withSource({ files: '*.log', 'max.open.files': '5' }, async ({ folder, harness, take }) => {
      const names = Array.from({ length: 30 }, (_, n) => `${String.fromCharCode(97 + (n % 26))}${n}x.log`);
      for (const name of names) await writeFile(join(folder, name), `${name} 1\n${name} half`);
      await harness.start();
      assert.deepEqual((await take(30)).sort(), names.map((name) => `${name} 1`).sort());
      assert.ok((await openBelow(folder)) <= 5);
      for (const name of names) await appendFile(join(folder, name), ' line\n');
      assert.deepEqual((await take(30)).sort(), names.map((name) => `${name} half line`).sort());
      // Renamed, emptied, replaced and deleted while closed.
      const [renamed = '', emptied = '', replaced = '', deleted = ''] = names;
      await appendFile(join(folder, renamed), 'end of the old\n');
      await rename(join(folder, renamed), join(folder, `${renamed}.1`));
      await writeFile(join(folder, renamed), 'the new\n');
      await writeFile(join(folder, emptied), 'emptied\n');
      await rm(join(folder, replaced));
      await writeFile(join(folder, replaced), 'another\n');
      await rm(join(folder, deleted));
      assert.deepEqual((await take(4)).sort(), ['another', 'emptied', 'end of the old', 'the new']);
      assert.deepEqual(await harness.poll(), []);
      assert.ok((await openBelow(folder)) <= 5);
      await harness.stop();
      await harness.start();
      for (const name of names.slice(4)) await appendFile(join(folder, name), 'again\n');
      assert.equal((await take(26)).length, 26);
      assert.deepEqual(await harness.poll(), []);
    }),
);

test('of more files than may be open, those that are quiet are not opened again to be looked at', () =>
  withSource({ files: '*.log', 'max.open.files': '4' }, async ({ folder, harness, take }) => {
    const names = Array.from({ length: 10 }, (_, n) => `${'abcdefghij'[n]}.log`);
    for (const name of names) await writeFile(join(folder, name), `${name}\n`);
    await harness.start();
    assert.equal((await take(10)).length, 10);
    assert.deepEqual(await harness.poll(), []);
    const opens = mock.method(fs, 'open');
    syncBuiltinESMExports();
    try {
      assert.deepEqual(await harness.poll(), []);
      assert.equal(opens.mock.callCount(), 0);
    } finally {
      opens.mock.restore();
      syncBuiltinESMExports();
    }
  }));

test('a part of a line is passed on in time although its file was closed', () =>
  withSource(
    { files: '*.log', 'max.open.files': '4', 'flush.partial.ms': '50' },
    async ({ folder, harness, take }) => {
      const names = Array.from({ length: 10 }, (_, n) => `${'abcdefghij'[n]}.log`);
      for (const name of names) await writeFile(join(folder, name), name);
      await harness.start();
      assert.deepEqual((await take(10)).sort(), names);
      assert.deepEqual(await harness.poll(), []);
      for (const name of names) await appendFile(join(folder, name), '\nnext\n');
      assert.deepEqual(
        await take(10),
        names.map(() => 'next'),
      );
    },
  ));

test('a file that cannot be opened yet, as all that are open are needed, is gone on with where it was left', () =>
  withSource({ files: '*.log', 'max.open.files': '4' }, async ({ folder, harness, take }) => {
    const late = join(folder, 'late.log');
    await writeFile(late, 'a\nb\n');
    await harness.start();
    await harness.accept((await harness.collect(2)).slice(0, 1));
    await harness.stop();
    await rename(late, `${late}.1`);
    const others = ['w', 'x', 'y', 'z'].map((name) => join(folder, `${name}.log`));
    for (const path of others) await writeFile(path, 'read\nhalf');
    await harness.start();
    await take(4);
    for (const path of others) await rename(path, `${path}.1`);
    assert.deepEqual(await harness.poll(), []);
    await writeFile(late, 'c\n');
    assert.deepEqual(await harness.poll(), []);
    for (const path of others) await rm(`${path}.1`);
    assert.deepEqual((await take(6)).sort(), ['b', 'c', 'half', 'half', 'half', 'half']);
  }));

test('files that were renamed, and that nothing comes after, do not keep others from being read', () =>
  withSource({ files: '*.log', 'max.open.files': '4' }, async ({ folder, harness, take }) => {
    const done = ['a', 'b', 'c', 'd'].map((name) => join(folder, `${name}.log`));
    for (const path of done) await writeFile(path, 'read\n');
    await harness.start();
    await take(4);
    for (const path of done) await rename(path, `${path}.done`);
    assert.deepEqual(await harness.poll(), []);
    for (const name of ['e', 'f', 'g', 'h', 'i']) await writeFile(join(folder, `${name}.log`), `${name}\n`);
    assert.deepEqual((await take(5)).sort(), ['e', 'f', 'g', 'h', 'i']);
    // They are known where they were let go of.
    for (const path of done) await writeFile(path, 'new\n');
    assert.deepEqual(await take(4), ['new', 'new', 'new', 'new']);
    assert.deepEqual(await harness.poll(), []);
  }));

type Opened = (error: NodeJS.ErrnoException | null, fd: number) => void;

test(
  'where the system allows fewer open files than were asked for, all are read in turn, and the log says how to have more',
  { skip: LINUX },
  () =>
    withSource({ files: '*.log' }, async ({ folder, harness, take }) => {
      const names = Array.from({ length: 40 }, (_, n) => `${String.fromCharCode(97 + (n % 26))}${n}x.log`);
      for (const name of names) await writeFile(join(folder, name), `${name}\n`);
      const open = fs.open;
      const close = fs.close;
      const held = new Set<number>();
      const opens = mock.method(fs, 'open', (path: string, flags: number, callback: Opened) => {
        if (held.size >= 20) {
          callback(Object.assign(new Error('EMFILE'), { code: 'EMFILE' }), -1);
          return;
        }
        open(path, flags, (error, fd) => {
          held.add(fd);
          callback(error, fd);
        });
      });
      const closes = mock.method(fs, 'close', (fd: number, callback: (error: Error | null) => void) => {
        held.delete(fd);
        close(fd, callback);
      });
      syncBuiltinESMExports();
      try {
        await harness.start();
        assert.deepEqual((await take(40)).sort(), names.sort());
      } finally {
        opens.mock.restore();
        closes.mock.restore();
        syncBuiltinESMExports();
      }
      assert.ok(
        harness.log.lines.some(({ level, message }) => level === 'warn' && /ulimit -n/.test(message)),
      );
    }),
);

test('a file that has the inode of a deleted one, and begins like it, is read from its beginning', () =>
  withSource({}, async ({ path, harness, take }) => {
    await until('the system tells when the file was made', async () => {
      await writeFile(path, 'id,name\n1,x\n');
      const { birthtimeMs, ctimeMs } = await stat(path);
      return birthtimeMs < ctimeMs;
    });
    const { dev, ino } = await stat(path);
    const file = { dev, inode: ino, head: hashHead(Buffer.from('id,name\n')), headBytes: 8, made: 1 };
    const record = { sourcePartition: { file: `${path}.deleted` }, sourcePosition: { position: 8, file } };
    await harness.accept([
      {
        ...record,
        topic: null,
        queue: null,
        keySchema: null,
        key: null,
        valueSchema: null,
        value: '',
        timestamp: null,
        headers: [],
      },
    ]);
    await harness.start();
    assert.deepEqual(await take(2), ['id,name', '1,x']);
  }));

test('what was known of a deleted file is not used for the next one with its inode', async () => {
  const known = new KnownFiles();
  const file = { dev: 1, inode: 2, head: 'h', headBytes: 8, position: 8 };
  const holds = (): Promise<boolean> => Promise.resolve(true);
  known.note(file);
  assert.equal(await known.position(file, 100, holds), 8);
  assert.equal(await known.position({ ...file, made: 5 }, 100, holds), 8);
  assert.equal(await known.position(file, 100, () => Promise.resolve(false)), null);
  known.forget(file);
  assert.equal(await known.position(file, 100, holds), null);
  known.note({ ...file, made: 4 });
  assert.equal(await known.position({ ...file, made: 5 }, 100, holds), null);
});

test('what the server of a network folder has lost is opened again and gone on with', () =>
  withSource({}, async ({ path, harness, take }) => {
    await writeFile(path, 'a\nb');
    await harness.start();
    assert.deepEqual(await take(1), ['a']);
    const read = fs.read;
    const reads = mock.method(fs, 'read', (...args: Parameters<typeof fs.read>) => {
      const callback = args.at(-1);
      assert.ok(typeof callback === 'function');
      if (reads.mock.callCount() > 0) return read(...args);
      Reflect.apply(callback, null, [Object.assign(new Error('ESTALE'), { code: 'ESTALE' }), 0, null]);
    });
    syncBuiltinESMExports();
    try {
      await appendFile(path, '\nc\n');
      assert.deepEqual(await take(2), ['b', 'c']);
      assert.ok(reads.mock.callCount() > 1);
    } finally {
      reads.mock.restore();
      syncBuiltinESMExports();
    }
    assert.ok(harness.log.lines.some(({ fields }) => JSON.stringify(fields).includes('ESTALE')));
  }));
