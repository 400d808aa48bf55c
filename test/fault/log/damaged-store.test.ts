import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { open } from 'lmdb';

import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { LogError } from '#troupe/log/log.js';

import { batchOf, readTexts } from '../../conformance/log-batches.js';
import { KEPT, newFolder } from './support.js';

/** A store with 2 MB in it, closed. */
async function storeWithData(t: TestContext): Promise<{ dir: string; file: string }> {
  const dir = newFolder(t);
  const store = await EmbeddedStore.open({ dir });
  await store.createTopic('data', { queues: 1, ...KEPT });
  for (let i = 0; i < 20; i++)
    await store.append({ entries: [{ topic: 'data', queue: 0, batch: batchOf(['x'.repeat(100_000)]) }] });
  await store.close();
  return { dir, file: join(dir, 'data.mdb') };
}

/** Opening and reading everything ends with LOG_CORRUPT, and the file is as it was. */
async function assertRefused(dir: string, message: RegExp): Promise<void> {
  await assert.rejects(
    async () => {
      const store = await EmbeddedStore.open({ dir });
      try {
        await readTexts(store, 'data');
      } finally {
        await store.close();
      }
    },
    (error) => {
      assert.ok(error instanceof LogError, String(error));
      assert.equal(error.code, 'LOG_CORRUPT', error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

test('a data file of garbage is refused, with what to do, and left as it is', async (t) => {
  const { dir, file } = await storeWithData(t);
  writeFileSync(file, Buffer.alloc(100_000, 'garbage '));
  await assertRefused(
    dir,
    /is not a data file of lmdb.*Restore the log's folder from a copy, or move it away/,
  );
  assert.ok(readFileSync(file).equals(Buffer.alloc(100_000, 'garbage ')));
});

test('a data file that was emptied or lost is refused, not begun anew', async (t) => {
  const { dir, file } = await storeWithData(t);
  truncateSync(file, 0);
  await assertRefused(dir, /is empty, though/);
  assert.equal(statSync(file).size, 0);
  rmSync(file);
  await assertRefused(dir, /is missing, though/);
});

test('a folder in which an open was killed before the first write is begun anew', async (t) => {
  const dir = newFolder(t);
  writeFileSync(join(dir, 'data.mdb'), '');
  await (await EmbeddedStore.open({ dir })).close();
});

test('a data file cut short does not kill the process: what is missing is reported', async (t) => {
  const { dir, file } = await storeWithData(t);
  truncateSync(file, Math.floor(statSync(file).size / 2));
  // In a process of its own: reading behind the end of a mapped file is a SIGBUS.
  const script = `
    import { EmbeddedStore } from '#troupe/log/embedded/store.js';
    import { BatchReader } from '#troupe/log/batch.js';
    try {
      const store = await EmbeddedStore.open({ dir: process.argv[1] });
      for (let offset = 0; ; offset++) {
        const { batches } = await store.read({ topic: 'data', queue: 0, offset, maxBytes: 1, maxRecords: 1, waitMs: 0 });
        if (batches.length === 0) break;
        BatchReader.open(batches[0].batch.bytes);
      }
      console.log('nothing noticed');
    } catch (error) { console.log(error.code); }
    process.exit(0);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script, dir], {
    encoding: 'utf8',
    cwd: new URL('.', import.meta.url),
  });
  assert.equal(output.trim(), 'LOG_CORRUPT');
});

test('bits that changed inside a batch are noticed when it is read', async (t) => {
  const { dir, file } = await storeWithData(t);
  const bytes = readFileSync(file);
  const at = bytes.lastIndexOf('xxxxxxxxxxxxxxxx');
  bytes[at] = 0x79;
  writeFileSync(file, bytes);
  await assertRefused(dir, /checksum does not match/);
});

test('a store of another format version is refused', async (t) => {
  const { dir, file } = await storeWithData(t);
  const root = open<Buffer>({ path: file, noSubdir: true, encoding: 'binary', overlappingSync: false });
  const version = Buffer.alloc(8);
  version.writeDoubleLE(99);
  await root.openDB<Buffer>({ name: 'log', encoding: 'binary' }).put(['m', 'format'], version);
  await root.close();
  await assertRefused(dir, /has format 99; this release reads format 1/);
});

test('a store beside which its mark cannot be written is not left open', async (t) => {
  if (!existsSync('/proc/self/fd')) return t.skip('needs /proc');
  const dir = newFolder(t);
  // Leads nowhere, so it does not exist and cannot be made.
  symlinkSync(join(dir, 'gone', 'format'), join(dir, 'format'));
  await assert.rejects(EmbeddedStore.open({ dir }), LogError);
  const open = readdirSync('/proc/self/fd').flatMap((name) => {
    try {
      return [readlinkSync(join('/proc/self/fd', name))];
    } catch {
      return [];
    }
  });
  assert.deepEqual(
    open.filter((path) => path.startsWith(dir)),
    [],
  );
});
