import assert from 'node:assert/strict';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { until } from '../../support/wait.js';
import { NO_SMALL_DISK, mountSmallDisk } from '../../support/small-disk.js';
import { NodeProcess, contentOf, removeFolder, temporaryFolder } from '../../support/node-process.js';

interface Files {
  readonly node: NodeProcess;
  readonly dir: string;
  /** A source of a file with these lines, on a topic that has its name. */
  readonly source: (name: string, lines: readonly string[]) => Promise<void>;
  readonly lines: (file: string) => readonly string[];
}

async function filesOn(t: TestContext): Promise<Files> {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, { 'offset.flush.interval.ms': '50', 'task.restart.max': '1' });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  return {
    node,
    dir,
    source: async (name, lines) => {
      writeFileSync(join(dir, name), lines.map((line) => `${line}\n`).join(''));
      await node.run(name, { 'connector.class': 'FileSource', file: join(dir, name), topic: name });
    },
    lines: (file) => (contentOf(join(dir, file))?.toString() ?? '').split('\n').filter((line) => line !== ''),
  };
}

/** Takes all the room that its disk has. */
function fill(path: string): void {
  for (const size of [65_536, 1])
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size));
    } catch {
      // Full.
    }
}

const numbered = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

test('two topics that RegexRouter gives one name arrive in one file, whole, also after a kill', async (t) => {
  const { node, dir, source, lines } = await filesOn(t);
  const config = {
    'connector.class': 'FileSink',
    topics: 'logs-a,logs-b',
    file: join(dir, '{topic}.out'),
    transforms: 'r',
    'transforms.r.type': 'RegexRouter',
    'transforms.r.regex': 'logs-.*',
    'transforms.r.replacement': 'logs',
  };
  await source('logs-a', numbered('a', 10));
  await source('logs-b', numbered('b', 10));
  await node.run('k', config);
  await until('all have arrived', () => lines('logs.out').length === 20);
  await node.kill();
  appendFileSync(join(dir, 'logs-b'), 'b-10\n');
  await node.start();
  const all = [...numbered('a', 10), ...numbered('b', 11)].sort();
  await until('what came since has arrived', () => lines('logs.out').length >= 21);
  assert.deepEqual([...lines('logs.out')].sort(), all);
});

test('after the store was wiped a sink whose output stayed writes the new topic from its beginning', async (t) => {
  const { node, dir, source, lines } = await filesOn(t);
  const config = { 'connector.class': 'FileSink', topics: 'orders', file: join(dir, 'out') };
  await source('orders', numbered('mon', 5));
  await node.run('k', config);
  await until('monday has arrived', () => lines('out').length === 5);
  await node.stop();
  rmSync(join(dir, 'store'), { recursive: true });
  await node.start();
  await source('orders', numbered('tue', 7));
  await node.run('k', config);
  await until('tuesday has arrived', () => lines('out').length >= 12);
  assert.deepEqual(lines('out'), [...numbered('mon', 5), ...numbered('tue', 7)]);
});

test('the second of two sinks with one file is refused with what to do, or fails when it was there first without a line', async (t) => {
  const { node, dir, source, lines } = await filesOn(t);
  const sink = (topics: string): Record<string, string> => ({
    'connector.class': 'FileSink',
    topics,
    file: join(dir, 'out'),
  });
  await node.run('kb', sink('b'));
  await source('a', numbered('a', 10));
  await node.run('ka', sink('a'));
  await until('a has arrived', () => lines('out').length === 10);
  await source('b', numbered('b', 10));
  await until('kb has failed', async () => {
    const { body } = await node.request('GET', '/connectors/kb/status');
    return JSON.stringify(body).includes('FILE_IN_USE');
  });
  const { status, body } = await node.request('PUT', '/connectors/kc/config', sink('b'));
  assert.equal(status, 400);
  assert.match(JSON.stringify(body), /is written by the connector .*ka/);
  assert.deepEqual(lines('out'), numbered('a', 10));
});

test('a sink that cannot flush says since when, in which call and why, and goes on when it can', async (t) => {
  const { node, dir, source } = await filesOn(t);
  const disk = mountSmallDisk(t, 1);
  if (disk === null) {
    t.skip(NO_SMALL_DISK);
    return;
  }
  await source('a', numbered('a', 3));
  const full = join(disk, 'full');
  await node.run('small', { 'connector.class': 'FileSink', topics: 'a', file: full });
  await until('the first lines are there', () => (contentOf(full)?.length ?? 0) > 0);
  fill(join(disk, 'ballast'));
  appendFileSync(join(dir, 'a'), `${'x'.repeat(20_000)}\n`);
  const stalled = await until('it says why', async () => {
    const { body } = await node.request('GET', '/connectors/small/status');
    return (body as { tasks: { stalled?: { call: string; cause?: string } }[] }).tasks[0]?.stalled ?? null;
  });
  assert.match(stalled.call, /^(put|flush)$/);
  assert.match(stalled.cause ?? '', /the disk is full: make room/);
  rmSync(join(disk, 'ballast'));
  await until('it goes on', async () => {
    const { body } = await node.request('GET', '/connectors/small/status');
    return !JSON.stringify(body).includes('stalled') && (contentOf(full)?.length ?? 0) > 20_000;
  });
});

test('a sink whose progress file knows more records than its topic has fails with what to do, and does not wait for them', async (t) => {
  const { node, dir, source, lines } = await filesOn(t);
  await source('a', numbered('a', 3));
  await node.run('k', { 'connector.class': 'FileSink', topics: 'a', file: join(dir, 'out') });
  await until('a has arrived', () => lines('out').length === 3);
  await node.stop();
  const path = join(dir, '.out.progress.json');
  const progress = JSON.parse(contentOf(path)?.toString() ?? '') as Record<string, unknown>;
  // As an older version wrote it, of a topic that is not there any more.
  writeFileSync(path, JSON.stringify({ ...progress, offsets: [{ topic: 'a', queue: 0, offset: 50 }] }));
  await node.start();
  await until('it has failed', async () => {
    const { body } = await node.request('GET', '/connectors/k/status');
    return /"state":"FAILED".*SEEK_BEHIND_END.*offset 50 of a\/0, which ends at 3/.test(JSON.stringify(body));
  });
  rmSync(path);
  await node.request('POST', '/connectors/k/restart?includeTasks=true');
  appendFileSync(join(dir, 'a'), 'a-3\n');
  await until('it goes on', () => lines('out').length === 4);
  assert.deepEqual(lines('out'), numbered('a', 4));
});

test('a source of the file that a sink of its topic writes fails, instead of going round without end', async (t) => {
  const { node, dir, source } = await filesOn(t);
  // The source is there first: the loop begins with the sink.
  await source('a', numbered('a', 3));
  await node.run('k', { 'connector.class': 'FileSink', topics: 'a', file: join(dir, 'a') });
  await until('it has failed', async () => {
    const { body } = await node.request('GET', '/connectors/a/status');
    return /"state":"FAILED".*FILE_LOOP/.test(JSON.stringify(body));
  });
  const again = { 'connector.class': 'FileSource', topic: 'a', file: join(dir, 'a') };
  const { status, body } = await node.request('PUT', '/connectors/again/config', again);
  assert.equal(status, 400);
  assert.match(JSON.stringify(body), /would come back into the topic without end/);
  // Into another topic it is read as any file.
  await node.run('on', { ...again, topic: 'b' });
});
