import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { batchOf } from '../conformance/log-batches.js';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { random } from '../support/random.js';
import { letPass, until } from '../support/wait.js';

const MIB = 1 << 20;

test('a store that is full holds the source back, also over kills, and every line passes once there is room', async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const dir = temporaryFolder();
  const input = join(dir, 'in.txt');
  const output = join(dir, 'out.txt');
  let text = '';
  for (let i = 0; text.length < 48 * MIB; i += 1) text += `${i} ${'z'.repeat(next(300))}\n`;
  writeFileSync(input, text);
  const node = await NodeProcess.create(dir, {
    // A third of what has to pass.
    'store.max.bytes': String(16 * MIB),
    'topic.retention.bytes': String(MIB),
    'store.retention.check.ms': '200',
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  // A paused sink reads nothing, but from its start on retention by size waits for it: the store fills and stays full.
  const sink = { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output, 'base.dir': dir };
  const created = await node.request('POST', '/connectors', {
    name: 'out',
    config: sink,
    initial_state: 'PAUSED',
  });
  assert.equal(created.status, 201);
  await node.state('out', 'PAUSED');
  await node.run('in', { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' });
  await until('the source is held back', async () => {
    const { body } = await node.request('GET', '/connectors/in/status');
    return JSON.stringify(body).includes('"call":"append"');
  });
  await node.kill();
  await node.start();
  assert.equal(
    (await node.request('PUT', '/connectors/out/resume')).status,
    202,
    'REST writes go on while it is full',
  );
  for (let kill = 0; kill < 3; kill += 1) {
    await letPass(next(1500));
    await node.kill();
    await node.start();
  }
  await until('everything arrived', () => (contentOf(output)?.length ?? 0) >= text.length, 60_000);
  assert.ok(contentOf(output)?.equals(Buffer.from(text)), 'the output is the input, byte for byte');
});

test('a node whose own topics outgrow a full store stays steerable, and recovers by itself', async (t) => {
  const dir = temporaryFolder();
  const input = join(dir, 'in.txt');
  const output = join(dir, 'out.txt');
  const text = Array.from({ length: 24 * 1024 }, (_, i) => `${i} ${'z'.repeat(1000)}\n`).join('');
  writeFileSync(input, text);
  const node = await NodeProcess.create(dir, {
    'store.max.bytes': String(16 * MIB),
    'topic.retention.bytes': String(MIB),
    'store.retention.check.ms': '200',
    'heartbeat.interval.ms': '200',
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const ask = async (method: string, path: string, status: number, body?: object): Promise<void> => {
    const answer = await node.request(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  };
  const sink = { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output, 'base.dir': dir };
  await ask('POST', '/connectors', 201, { name: 'out', config: sink, initial_state: 'PAUSED' });
  await node.state('out', 'PAUSED');
  const source = { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' };
  await node.run('in', source);
  await until('the source is held back', async () => {
    const { body } = await node.request('GET', '/connectors/in/status');
    return JSON.stringify(body).includes('"call":"append"');
  });

  // As heartbeats and statuses of tasks that crash in a loop would, in a long night.
  const store = await EmbeddedStore.open({ dir: join(dir, 'store', 'log'), retentionCheckMs: 0 });
  t.after(() => store.close());
  const grow = async (topic: string, bytes: number): Promise<void> => {
    for (let left = bytes; left > 0; left -= MIB / 2)
      await store.append({ entries: [{ topic, queue: 0, batch: batchOf(['x'.repeat(MIB / 2)]) }] });
  };
  for (const topic of ['connector-cluster-topic', 'connector-config-topic', 'connector-offset-topic'])
    await grow(topic, 2 * MIB);
  const beats = async (): Promise<number> =>
    (await store.ranges('connector-cluster-topic'))[0]?.endOffset ?? 0;
  const before = await beats();
  await until('its heartbeats go on', async () => (await beats()) > before + 10);
  for (let i = 0; i < 3; i += 1) await ask('POST', '/connectors/in/restart?includeTasks=true', 202);
  await ask('PUT', '/connectors/in/pause', 202);
  await ask('PUT', '/connectors/in/resume', 202);
  await ask('POST', '/connectors', 201, { name: 'late', config: { ...source, topic: 'other' } });
  await ask('DELETE', '/connectors/late', 204);
  // What takes much of a topic of its own makes a snapshot due, and that lets it go, full as the log is.
  await grow('connector-cluster-topic', 24 * MIB);
  await until('its own topic is trimmed', async () => {
    const [range] = await store.ranges('connector-cluster-topic');
    return (range?.startOffset ?? 0) > before;
  });
  await ask('PUT', '/connectors/out/resume', 202);
  await until('everything arrived', () => (contentOf(output)?.length ?? 0) >= text.length, 60_000);
  assert.ok(contentOf(output)?.equals(Buffer.from(text)), 'the output is the input, byte for byte');
});
