import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
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
