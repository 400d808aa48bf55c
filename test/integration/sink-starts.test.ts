/** A new sink that is not to begin at the beginning of its topics. */
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { letPass, until } from '../support/wait.js';

test('a sink begins at the end, the beginning or a time of the queues that there are, as it is created with', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  const path = (name: string): string => join(dir, name);
  const text = (name: string): string => contentOf(path(name))?.toString('utf8') ?? '';
  const create = async (name: string, initial_offsets: unknown, more: Record<string, string> = {}) => {
    const config = { 'connector.class': 'FileSinkConnector', topics: 'lines', file: path(name), ...more };
    return node.request('POST', '/connectors', { name, config, initial_offsets });
  };
  const created = async (...args: Parameters<typeof create>): Promise<void> => {
    const { status, body } = await create(...args);
    assert.equal(status, 201, JSON.stringify(body));
    await node.state(args[0], 'RUNNING');
  };
  await node.start();
  writeFileSync(path('in'), 'one\ntwo\n');
  await node.run('in', { 'connector.class': 'FileSourceConnector', file: path('in'), topic: 'lines' });
  await created('all', 'earliest');
  await until('the first lines are there', () => text('all') === 'one\ntwo\n');
  // The time of a record is that of its reading.
  await letPass(20);
  const time = new Date().toISOString();
  await letPass(20);
  appendFileSync(path('in'), 'three\n');
  await until('the third is there', () => text('all').endsWith('three\n'));
  await created('late', 'latest');
  await created('timed', time);
  await created('matched', 'latest', { topics: '', 'topics.regex': 'lin.*' });
  appendFileSync(path('in'), 'four\n');
  await until('the last is there', () => text('all').endsWith('four\n'));
  for (const [name, expected] of [
    ['late', 'four\n'],
    ['matched', 'four\n'],
    ['timed', 'three\nfour\n'],
  ] as const) {
    await until(`${name} has what it is to have`, () => text(name).endsWith('four\n'));
    assert.equal(text(name), expected, name);
  }
  // What comes to be later is not passed over.
  await created('early', 'latest', { topics: 'later' });
  writeFileSync(path('in-later'), 'first\n');
  await node.run('later', {
    'connector.class': 'FileSourceConnector',
    file: path('in-later'),
    topic: 'later',
  });
  await until('the first is there', () => text('early') === 'first\n');
});

test('a beginning that is none is refused, and nothing is created', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const sink = { 'connector.class': 'FileSinkConnector', topics: 'lines', file: join(dir, 'x') };
  const source = { 'connector.class': 'FileSourceConnector', topic: 'lines', file: join(dir, 'x') };
  for (const [config, given] of [
    [sink, 'newest'],
    [sink, '2026-03-01'],
    [sink, '2026-13-01T00:00:00Z'],
    [source, 'latest'],
  ] as const) {
    const reply = await node.request('POST', '/connectors', { name: 'c', config, initial_offsets: given });
    assert.equal(reply.status, 400, given);
    assert.match(JSON.stringify(reply.body), /BODY_INVALID.*initial_offsets/);
  }
  assert.deepEqual((await node.request('GET', '/connectors')).body, []);
});
