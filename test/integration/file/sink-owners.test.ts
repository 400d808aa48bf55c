import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeFileOps, type FileOps } from '#troupe/connectors/file/file-ops.js';
import { fileSink } from '#troupe/connectors/file/sink/sink.js';
import { parseConfigOrThrow, type QueueRef } from '#troupe/sdk/index.js';
import { ANY_FILE, SinkHarness, type SinkHarnessOptions } from '#troupe/sdk/testing/index.js';
import { inFolder } from './temporary.js';

const connector = fileSink(nodeFileOps);
const PROGRESS = '.out.log.progress.json';

interface Given extends SinkHarnessOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly ops?: FileOps;
}

/** Sinks on out.log in one folder. */
async function withSinks(
  body: (at: {
    folder: string;
    path: string;
    sink: (given?: Given) => SinkHarness;
    text: () => Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const path = join(folder, 'out.log');
    const made: SinkHarness[] = [];
    const sink = ({ config, ops, ...options }: Given = {}): SinkHarness => {
      const plugin = ops === undefined ? connector : fileSink(ops);
      const harness = new SinkHarness(plugin, { file: path, ...config }, options);
      made.push(harness);
      return harness;
    };
    try {
      await body({ folder, path, sink, text: () => readFile(path, 'utf8') });
    } finally {
      for (const harness of made) await harness.dispose();
    }
  });
}

async function write(harness: SinkHarness, ...values: unknown[]): Promise<void> {
  harness.append(0, values);
  await harness.deliver();
  harness.commit(await harness.flush());
}

const changed = { code: 'FILE_CHANGED' };
const inUse = { name: 'ConfigError', code: 'FILE_IN_USE', field: 'file' };

for (const [what, done] of Object.entries<(path: string) => Promise<void>>({
  emptied: (path) => truncate(path, 0),
  'renamed away': (path) => rename(path, `${path}.1`),
  deleted: (path) => rm(path),
  'replaced by a new file': async (path) => {
    await rename(path, `${path}.1`);
    await writeFile(path, '');
  },
})) {
  test(`an output that is ${what} while it is written is reported, and gets nothing more`, () =>
    withSinks(async ({ sink, path, folder }) => {
      const harness = sink();
      await harness.start();
      await write(harness, 'a', 'b');
      await done(path);
      harness.append(0, ['c']);
      await assert.rejects(harness.deliver(), changed);
      harness.kill();
      await assert.rejects(harness.start(), changed);
      for (const name of (await readdir(folder)).filter((name) => name.startsWith('out')))
        assert.match(await readFile(join(folder, name), 'utf8'), /^(a\nb\n)?$/);
    }));
}

test('an output that is emptied in the middle of a write never gets NULs, and is reported', () =>
  withSinks(async ({ sink, path, text }) => {
    let emptying = false;
    const harness = sink({
      ops: {
        ...nodeFileOps,
        write: async (fd, data) => {
          if (emptying) await truncate(path, 0);
          emptying = false;
          await nodeFileOps.write(fd, data);
        },
      },
    });
    await harness.start();
    await write(harness, 'a', 'b');
    emptying = true;
    harness.append(0, ['c']);
    await harness.deliver();
    assert.equal(await text(), 'c\n');
    await assert.rejects(harness.flush(), changed);
  }));

test('many writes between two commits share their looks at the output, and the commit finds it emptied', () =>
  withSinks(async ({ sink, path }) => {
    let looks = 0;
    const harness = sink({
      ops: {
        ...nodeFileOps,
        facts: (of) => {
          looks += 1;
          return nodeFileOps.facts(of);
        },
      },
    });
    await harness.start();
    harness.append(
      0,
      Array.from({ length: 400 }, (_, n) => `line ${n}`),
    );
    while ((await harness.deliver(1)) > 0);
    assert.ok(looks < 200, `${looks} looks at 400 writes`);
    await truncate(path, 0);
    await assert.rejects(harness.flush(), changed);
  }));

test('what others append while the sink runs is cut off, with a warning', () =>
  withSinks(async ({ sink, path, text }) => {
    const harness = sink();
    await harness.start();
    await write(harness, 'a');
    await appendFile(path, 'of somebody else\n');
    await write(harness, 'b');
    assert.equal(await text(), 'a\nb\n');
    assert.match(JSON.stringify(harness.log.lines), /cut off what others wrote.*"bytes":17/);
  }));

test('a folder that is deleted under the sink is noticed, and the next start begins it anew', () =>
  withSinks(async ({ folder }) => {
    const deep = join(folder, 'deep');
    const harness = new SinkHarness(connector, { file: join(deep, 'out.log') });
    await harness.start();
    await write(harness, 'a');
    await rm(deep, { recursive: true });
    harness.append(0, ['b']);
    await assert.rejects(harness.deliver(), changed);
    harness.kill();
    await harness.start();
    await harness.deliver();
    harness.commit(await harness.flush());
    assert.equal(await readFile(join(deep, 'out.log'), 'utf8'), 'b\n');
    await harness.dispose();
  }));

test('a second sink with the same file is refused, when it is configured and when it starts', () =>
  withSinks(async ({ sink, path, text, folder }) => {
    const first = sink({ connectorName: 'first' });
    await first.start();
    await write(first, 'a');
    const second = sink({ connectorName: 'second' });
    await assert.rejects(second.start(), inUse);
    const raw = { name: 'second', file: path };
    const issues = await connector.validate?.(parseConfigOrThrow(connector.config, raw), raw, {
      files: ANY_FILE,
    });
    assert.match(issues?.[0]?.reason ?? '', /is written by the connector "first"/);
    second.kill();
    await write(first, 'b');
    await first.stop();
    // Also when the first has ended, until somebody says so.
    await assert.rejects(second.start(), inUse);
    second.kill();
    await rm(join(folder, PROGRESS));
    await second.start();
    await write(second, 'c');
    assert.equal(await text(), 'a\nb\nc\n');
  }));

test('of two sinks that begin the same file at the same moment one writes it', () =>
  withSinks(async ({ sink, text }) => {
    const both = ['first', 'second'].map((connectorName) => sink({ connectorName }));
    for (const harness of both) {
      await harness.start();
      harness.append(0, [harness === both[0] ? 'first' : 'second']);
    }
    const results = await Promise.allSettled(both.map((harness) => harness.deliver()));
    const won = results.findIndex(({ status }) => status === 'fulfilled');
    const lost = results.find(({ status }) => status === 'rejected');
    assert.ok(won >= 0 && lost?.status === 'rejected');
    assert.equal((lost.reason as { code?: string }).code, 'FILE_IN_USE');
    await both[won]?.flush();
    assert.equal(await text(), `${won === 0 ? 'first' : 'second'}\n`);
  }));

test('what is still running after another start of the same task took over writes nothing', () =>
  withSinks(async ({ sink, text }) => {
    const former = sink();
    former.append(0, ['a', 'b']);
    await former.start();
    await former.deliver(1);
    former.commit(await former.flush());
    const latter = sink();
    latter.append(0, ['a', 'b', 'c']);
    await latter.start();
    await latter.deliver();
    await assert.rejects(former.deliver(), inUse);
    latter.commit(await latter.flush());
    assert.equal(await text(), 'a\nb\nc\n');
  }));

test('a progress file of an older version, which names neither connector nor topic ids, is gone on with', () =>
  withSinks(async ({ sink, text, folder }) => {
    const harness = sink();
    await harness.start();
    await write(harness, 'a');
    await harness.stop();
    const path = join(folder, PROGRESS);
    const {
      connector: _c,
      start: _s,
      ...old
    } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    old['offsets'] = [{ topic: 'topic', queue: 0, offset: 1 }];
    await writeFile(path, JSON.stringify(old));
    const next = sink();
    next.append(0, ['a', 'b']);
    await next.start();
    assert.deepEqual(next.seeks, [{ topic: 'topic', queue: 0, offset: 1 }]);
    await next.deliver();
    await next.stop();
    assert.equal(await text(), 'a\nb\n');
    assert.match(await readFile(path, 'utf8'), /"connector": "sink-under-test"[^]*"topicId": "topic#1"/);
  }));

test('a topic that was made anew is read from its beginning, whatever is committed, and that is said', () =>
  withSinks(async ({ sink, text }) => {
    const harness = sink();
    await harness.start();
    await write(harness, 'a', 'b', 'c');
    await harness.stop();
    harness.renewTopics();
    harness.append(0, ['d', 'e']);
    // As where offsets came back from a copy.
    harness.commit([{ topic: 'topic', queue: 0, offset: 2 }]);
    await harness.start();
    assert.deepEqual(harness.seeks.at(-1), { topic: 'topic', queue: 0, offset: 0 });
    assert.match(JSON.stringify(harness.log.lines), /read from its beginning.*"offsetBefore":3/);
    await harness.deliver();
    await harness.stop();
    assert.equal(await text(), 'a\nb\nc\nd\ne\n');
  }));

const TWO: readonly QueueRef[] = ['logs-a', 'logs-b'].map((topic) => ({ topic, queue: 0 }));

test('where transforms may scatter a queue over several outputs, one that was committed loses nothing of the other', () =>
  inFolder(async (folder) => {
    let failing = true;
    const ops: FileOps = {
      ...nodeFileOps,
      async create(path) {
        if (failing && path.includes('logs-b')) throw new Error('killed');
        return nodeFileOps.create(path);
      },
    };
    await mkdir(folder, { recursive: true });
    const raw = { file: join(folder, '{topic}.log'), transforms: 'route' };
    // What transforms did: every second record of logs-a went to logs-b.
    const harness = new SinkHarness(fileSink(ops), raw, { queues: TWO.slice(0, 1) });
    let n = 0;
    const scattering = new SinkHarness(fileSink(ops), raw, {
      queues: TWO.slice(0, 1),
      renamed: () => `logs-${'ab'[n++ % 2]}`,
    });
    await harness.dispose();
    scattering.append(0, ['1', '2', '3', '4']);
    await scattering.start();
    await assert.rejects(async () => {
      await scattering.deliver();
      await scattering.flush();
    });
    scattering.kill();
    failing = false;
    await scattering.start();
    assert.deepEqual(scattering.seeks, []);
    await scattering.deliver();
    await scattering.stop();
    await scattering.dispose();
    assert.equal(await readFile(join(folder, 'logs-a.log'), 'utf8'), '1\n3\n');
    assert.equal(await readFile(join(folder, 'logs-b.log'), 'utf8'), '2\n4\n');
  }));
