import assert from 'node:assert/strict';
import {
  appendFile,
  mkdir,
  readFile,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { nodeFileOps } from '#troupe/connectors/file/file-ops.js';
import { fileSink } from '#troupe/connectors/file/sink/sink.js';
import { Decimal, SchemaBuilder, STRING_SCHEMA, parseConfigOrThrow } from '#troupe/sdk/index.js';
import {
  ANY_FILE,
  RecordingLogger,
  SinkHarness,
  type SinkHarnessOptions,
} from '#troupe/sdk/testing/index.js';
import { until } from '../../support/wait.js';
import { inFolder } from './temporary.js';

const connector = fileSink(nodeFileOps);

async function withSink(
  config: Readonly<Record<string, string>>,
  body: (sink: { harness: SinkHarness; path: string; text: () => Promise<string> }) => Promise<void>,
  options: SinkHarnessOptions = {},
): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, 'out.log');
    const harness = new SinkHarness(connector, { file: path, ...config }, options);
    try {
      await body({ harness, path, text: () => readFile(path, 'utf8') });
    } finally {
      await harness.dispose();
    }
  });
}

/** Puts, flushes and commits. */
async function write(harness: SinkHarness, ...values: unknown[]): Promise<void> {
  harness.append(0, values);
  await harness.deliver();
  harness.commit(await harness.flush());
}

const changed = { code: 'FILE_CHANGED' };

test('an output that was deleted while the sink was down is reported, not begun anew', () =>
  withSink({}, async ({ harness, path, text }) => {
    await harness.start();
    await write(harness, 'a', 'b');
    await harness.stop();
    await rm(path);
    await assert.rejects(harness.start(), changed);
    harness.kill();
    // What the message says to do.
    await rm(join(dirname(path), '.out.log.progress.json'));
    await harness.start();
    await write(harness, 'c');
    assert.equal(await text(), 'c\n');
  }));

test('an output that is shorter than what was committed is reported', () =>
  withSink({}, async ({ harness, path }) => {
    await harness.start();
    await write(harness, 'a', 'b');
    await harness.stop();
    await writeFile(path, 'a\n');
    await assert.rejects(harness.start(), changed);
  }));

test('an output whose committed lines were edited is reported', () =>
  withSink({}, async ({ harness, path }) => {
    await harness.start();
    await write(harness, 'a', 'b');
    await harness.stop();
    await writeFile(path, 'a\nB\nmore\n');
    await assert.rejects(harness.start(), changed);
  }));

test('a progress file does not name the inode, and one that does is understood', () =>
  withSink({}, async ({ harness, path, text }) => {
    const progress = join(dirname(path), '.out.log.progress.json');
    await harness.start();
    await write(harness, 'a');
    await harness.stop();
    const written = await readFile(progress, 'utf8');
    assert.doesNotMatch(written, /inode/);
    await writeFile(progress, written.replace('"end"', '"inode": 7, "end"'));
    await harness.start();
    await write(harness, 'b');
    assert.equal(await text(), 'a\nb\n');
  }));

test('an output that was copied back from elsewhere is gone on with', () =>
  withSink({}, async ({ harness, path, text }) => {
    await harness.start();
    await write(harness, 'a');
    await harness.stop();
    const bytes = await readFile(path);
    await rm(path);
    await writeFile(path, bytes);
    await harness.start();
    await write(harness, 'b');
    assert.equal(await text(), 'a\nb\n');
  }));

test('what stands behind the committed length at a start is cut off', () =>
  withSink({}, async ({ harness, path, text }) => {
    await harness.start();
    await write(harness, 'a');
    await harness.stop();
    await appendFile(path, 'from somebody else');
    await harness.start();
    assert.equal(await text(), 'a\n');
    await write(harness, 'b');
    assert.equal(await text(), 'a\nb\n');
  }));

test('a file that was there before the first run is appended to, on a line of its own', () =>
  withSink({}, async ({ harness, path, text }) => {
    await writeFile(path, 'no line end');
    await harness.start();
    harness.append(0, ['a']);
    await harness.deliver();
    harness.kill();
    await harness.start();
    await harness.deliver();
    await harness.stop();
    assert.equal(await text(), 'no line end\na\n');
  }));

test('a broken progress file is reported with what to do', () =>
  withSink({}, async ({ harness, path }) => {
    await writeFile(join(dirname(path), '.out.log.progress.json'), '{"formatVersion":1,"length":-1}');
    await assert.rejects(harness.start(), { code: 'FILE_PROGRESS_BROKEN' });
  }));

test('the sink goes on from the offsets beside the file when they are ahead of those committed', () =>
  withSink({}, async ({ harness, text }) => {
    await harness.start();
    harness.append(0, ['a', 'b', 'c']);
    await harness.deliver(2);
    await harness.flush();
    harness.kill();
    await harness.start();
    assert.deepEqual(harness.seeks, [{ topic: 'topic', queue: 0, offset: 2 }]);
    await harness.deliver();
    await harness.stop();
    assert.equal(await text(), 'a\nb\nc\n');
  }));

test('an output in a folder that cannot be made is a mistake of its path', async () => {
  const inLink = async (): Promise<void> =>
    withSink({}, async ({ path }) => {
      await symlink('nowhere', `${path}-link`);
      const harness = new SinkHarness(connector, { file: join(`${path}-link`, 'x/out.log') });
      await harness.start();
      await write(harness, 'a');
    });
  await assert.rejects(inLink(), { code: 'FILE_BAD_PATH', message: /-link is a link that leads nowhere$/ });
  if (process.platform !== 'linux') return;
  for (const file of ['/proc/x/out.log', '/proc/x/y/out.log']) {
    const inProc = (): Promise<void> =>
      withSink({ file }, async ({ harness }) => {
        await harness.start();
        await write(harness, 'a');
      });
    await assert.rejects(inProc(), { code: 'FILE_BAD_PATH', message: /no folder can be made in \/proc$/ });
  }
});

test('finished files are numbered, compressed, and never overwrite what is there', () =>
  withSink({ 'rotate.bytes': '4', compress: 'gzip' }, async ({ harness, path }) => {
    const folder = dirname(path);
    await writeFile(join(folder, 'out.000002.log'), 'of somebody else');
    await harness.start();
    for (const value of ['one', 'two', 'three']) await write(harness, value);
    await until(
      'the pieces are compressed',
      async () => (await readdir(folder)).filter((name) => name.endsWith('log.gz')).length === 3,
    );
    await harness.stop();
    const names = (await readdir(folder)).filter((name) => name.startsWith('out.0')).sort();
    assert.deepEqual(names, [
      'out.000001.log.gz',
      'out.000002.log',
      'out.000003.log.gz',
      'out.000004.log.gz',
    ]);
    assert.equal(gunzipSync(await readFile(join(folder, 'out.000003.log.gz'))).toString(), 'two\n');
    assert.equal(await readFile(join(folder, 'out.000002.log'), 'utf8'), 'of somebody else');
  }));

test('a file is finished when its time is up although nothing more arrives', () =>
  withSink({ 'rotate.ms': '40' }, async ({ harness, path }) => {
    await harness.start();
    await write(harness, 'a');
    await until('the file is finished', async () =>
      (await readdir(dirname(path))).includes('out.000001.log'),
    );
    await write(harness, 'b');
    await harness.stop();
    // Its time may be up as well.
    const pieces = (await readdir(dirname(path))).filter((name) => /^out\..*log$/.test(name)).sort();
    const texts = await Promise.all(pieces.map((name) => readFile(join(dirname(path), name), 'utf8')));
    assert.deepEqual(texts, ['a\n', 'b\n']);
  }));

test('a sink keeps its thread while a file is to be finished in time', () =>
  withSink({ 'rotate.ms': '3600000' }, async ({ harness }) => {
    await harness.start();
    assert.equal(await harness.mayPassivate(), true);
    await write(harness, 'a');
    assert.equal(await harness.mayPassivate(), false);
  }));

test('once its file is finished and compressed a sink may give up its thread', () =>
  withSink({ 'rotate.ms': '40', compress: 'gzip' }, async ({ harness, path }) => {
    await harness.start();
    await write(harness, 'a');
    await until('there is nothing left to do', () => harness.mayPassivate());
    assert.ok((await readdir(dirname(path))).includes('out.000001.log.gz'));
  }));

test('placeholders give each queue a file, and names cannot leave the folder', () =>
  inFolder(async (folder) => {
    const queues = [
      { topic: 'orders', queue: 0 },
      { topic: 'orders', queue: 1 },
      { topic: '../../evil', queue: 0 },
      { topic: '..', queue: 0 },
    ];
    const harness = new SinkHarness(connector, { file: join(folder, '{topic}', 'q{queue}.log') }, { queues });
    await harness.start();
    queues.forEach(({ topic }, index) => {
      harness.append(index, [`${topic} ${index}`]);
    });
    await harness.deliver();
    await harness.stop();
    assert.deepEqual((await readdir(folder)).sort(), ['%2E%2E', '..%2F..%2Fevil', 'orders']);
    assert.equal(await readFile(join(folder, 'orders', 'q1.log'), 'utf8'), 'orders 1\n');
  }));

test('a symbolic link cannot lead the output out of its folder', () =>
  inFolder(async (folder) => {
    const inside = join(folder, 'inside');
    const outside = join(folder, 'outside');
    await mkdir(inside);
    await mkdir(outside);
    await symlink(outside, join(inside, 'link'));
    await symlink(join(outside, 'file.log'), join(inside, 'dangling.log'));
    for (const file of ['link/out.log', 'dangling.log']) {
      const harness = new SinkHarness(connector, { file, 'base.dir': inside });
      harness.append(0, ['a']);
      await assert.rejects(
        async () => {
          await harness.start();
          await harness.deliver();
        },
        { name: 'ConfigError', field: 'file' },
      );
      await harness.dispose();
    }
    assert.deepEqual(await readdir(outside), []);
  }));

test('tasks are as many as have files of their own', async () => {
  const planned = async (raw: Readonly<Record<string, string>>): Promise<number> => {
    const { signal } = new AbortController();
    const context = {
      connectorName: 'c',
      log: new RecordingLogger(),
      signal,
      files: ANY_FILE,
      positions: async () => [],
    };
    return (await connector.taskConfigs(context, parseConfigOrThrow(connector.config, raw), raw, 4)).length;
  };
  assert.equal(await planned({ file: 'out.log', topics: 'a' }), 1);
  assert.equal(await planned({ file: '{topic}.log', topics: 'a,b' }), 1);
  assert.equal(await planned({ file: '{queue}.log', topics: 'a,b' }), 1);
  assert.equal(await planned({ file: '{queue}.log', topics: 'a' }), 4);
  assert.equal(await planned({ file: '{topic}-{queue}.log', topics: 'a,b' }), 4);
  assert.equal(await planned({ file: '{task}.log', topics: 'a' }), 4);
  // A transform may give both topics one name, and so two tasks one file.
  assert.equal(await planned({ file: '{topic}-{queue}.log', topics: 'a,b', transforms: 'r' }), 1);
  assert.equal(await planned({ file: '{topic}-{queue}.log', topics: 'a', transforms: 'r' }), 4);
});

test('with fewer tasks a queue goes on where the task that is gone had brought it', () =>
  inFolder(async (folder) => {
    const queues = [{ topic: 't', queue: 1 }];
    const raw = { file: join(folder, '{task}.log') };
    // What task 1 of two left: one line committed, one written after.
    const before = new SinkHarness(connector, { file: join(folder, '1.log') }, { queues });
    before.append(0, ['a', 'b', 'c']);
    await before.start();
    await before.deliver(1);
    await before.flush();
    await before.deliver(1);
    before.kill();
    const after = new SinkHarness(connector, raw, { queues });
    after.append(0, ['a', 'b', 'c']);
    await after.start();
    await after.deliver();
    await after.stop();
    await before.dispose();
    assert.equal(await readFile(join(folder, '1.log'), 'utf8'), 'a\n');
    assert.equal(await readFile(join(folder, '0.log'), 'utf8'), 'b\nc\n');
  }));

test('strings and bytes are written as they are, other values as JSON with every digit', () =>
  withSink({}, async ({ harness, text }) => {
    await harness.start();
    const struct = SchemaBuilder.struct().field('n', STRING_SCHEMA).build();
    harness.append(0, [
      'plain "text"',
      Buffer.from('größer'),
      null,
      12,
      { a: [1, 'x'] },
      2n ** 62n,
      { big: 2n ** 60n },
      { inf: 1e400, nan: NaN, zero: -0, map: new Map([['k', Buffer.from('xy')]]) },
    ]);
    harness.append(
      0,
      [
        new Map<string, unknown>([
          ['k', new Decimal(1250n, 2)],
          ['b', Buffer.from('xy')],
        ]),
      ],
      struct,
    );
    await harness.deliver();
    await harness.stop();
    assert.deepEqual((await text()).split('\n'), [
      'plain "text"',
      'größer',
      'null',
      '12',
      '{"a":[1,"x"]}',
      '4611686018427387904',
      '{"big":1152921504606846976}',
      '{"inf":"Infinity","nan":"NaN","zero":-0.0,"map":{"k":"eHk="}}',
      '{"k":12.50,"b":"eHk="}',
      '',
    ]);
  }));

test('a value that cannot be written is reported, and the others are written', () =>
  withSink({}, async ({ harness, text }) => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await harness.start();
    await write(harness, 'a', circular, 'b');
    assert.equal(await text(), 'a\nb\n');
    assert.equal(harness.reported[0]?.error.name, 'DataError');
  }));

test('bytes are written as they are, also those that are no UTF-8, between other lines', () =>
  withSink({}, async ({ harness, path }) => {
    const bytes = Buffer.from([0xff, 0x00, 0xc3, 0x28, 0x80]);
    await harness.start();
    await write(harness, 'é', bytes, new Uint8Array(0), bytes.subarray(1, 3), 'b');
    const expected = ['c3a9', 'ff00c32880', '', '00c3', '62'].map((hex) => `${hex}0a`).join('');
    assert.equal((await readFile(path)).toString('hex'), expected);
  }));

test(
  'of files that nothing more is written to, as where topics are named by the time, few stay open',
  { skip: process.platform === 'linux' ? false : 'counts open files in /proc' },
  () =>
    inFolder(async (folder) => {
      const queues = Array.from({ length: 300 }, (_, n) => ({ topic: `t${n}`, queue: 0 }));
      const harness = new SinkHarness(
        connector,
        { file: join(folder, '{topic}.log'), fsync: 'false' },
        { queues },
      );
      const open = async (): Promise<number> => {
        const links = (await readdir('/proc/self/fd')).map((fd) =>
          readlink(`/proc/self/fd/${fd}`).catch(() => ''),
        );
        return (await Promise.all(links)).filter((path) => path.startsWith(`${folder}/`)).length;
      };
      try {
        await harness.start();
        for (const n of queues.keys()) {
          harness.append(n, ['a']);
          if (n % 10 !== 9) continue;
          await harness.deliver();
          harness.commit(await harness.flush());
        }
        assert.ok((await open()) <= 120, `${await open()} are open`);
        for (const n of queues.keys()) harness.append(n, ['b']);
        await harness.deliver();
        await harness.stop();
        for (const { topic } of queues)
          assert.equal(await readFile(join(folder, `${topic}.log`), 'utf8'), 'a\nb\n');
      } finally {
        await harness.dispose();
      }
    }),
);

test('an output that took the place of another while it was closed is reported', () =>
  inFolder(async (folder) => {
    const queues = Array.from({ length: 150 }, (_, n) => ({ topic: `t${n}`, queue: 0 }));
    const harness = new SinkHarness(
      connector,
      { file: join(folder, '{topic}.log'), fsync: 'false' },
      { queues },
    );
    try {
      await harness.start();
      for (const n of queues.keys()) harness.append(n, ['a']);
      await harness.deliver();
      await harness.flush();
      harness.append(1, ['b']);
      await harness.deliver();
      await harness.flush();
      await writeFile(join(folder, 'other'), 'x\n');
      await rename(join(folder, 'other'), join(folder, 't0.log'));
      harness.append(0, ['c']);
      await assert.rejects(harness.deliver(), changed);
    } finally {
      await harness.dispose();
    }
  }));
