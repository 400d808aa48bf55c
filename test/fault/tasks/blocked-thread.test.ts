import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

/** A node that runs a task of `fault`, which waits for a pipe that nobody writes to. */
async function nodeWith(
  t: TestContext,
  fault: string,
  settings: Readonly<Record<string, string>>,
): Promise<{ dir: string; node: NodeProcess }> {
  const dir = temporaryFolder();
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  const node = await NodeProcess.create(dir, {
    pluginPaths: pluginPackage(dir, { class: 'FaultySource', type: 'source', module: './faulty-plugin.js' }),
    'task.stop.timeout.ms': '500',
    ...settings,
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  await node.request('PUT', '/connectors/blocked/config', {
    'connector.class': 'FaultySource',
    topic: 'blocked',
    fault,
  });
  return { dir, node };
}

async function stops(node: NodeProcess): Promise<void> {
  node.signal('SIGTERM');
  let ended = false;
  void node.exited().then(() => {
    ended = true;
  });
  await until('the process has ended', () => ended, 60_000);
}

test('a node stops in order and ends, though a task is stuck in native code', async (t) => {
  const { dir, node } = await nodeWith(t, 'block', {
    'actor.beat.timeout.ms': '2000',
    positionPersistInterval: '3600000',
  });
  await until('the watchdog ends its thread', async () => {
    const { body } = await node.request('GET', '/supervisor/tree');
    return /"id":"[^"]*blocked\/0","kind":"actor","state":"stopping"/.test(JSON.stringify(body));
  });
  await until(
    'its status says so',
    async () => {
      const { body } = await node.request('GET', '/connectors/blocked/tasks/0/status');
      return /"state":"FAILED".*HUNG: .*stuck in a call of native code/.test(JSON.stringify(body));
    },
    60_000,
  );
  await stops(node);
  assert.match(node.output, /blocked\/0 does not end, though terminated/);
  // What stops after the tasks: persistence writes its files, and the lock is released.
  assert.ok(existsSync(join(dir, 'store', 'position.json')));
  assert.ok(!existsSync(join(dir, 'store', 'node.lock')));
});

test('calls that never end in the thread pool hold up nobody else, nor the end of the node', async (t) => {
  const { dir, node } = await nodeWith(t, 'block-pool', { 'task.stall.timeout.ms': '300' });
  const [input, output] = [join(dir, 'in'), join(dir, 'out')];
  writeFileSync(input, '');
  await until('it waits in the pool', async () => {
    const { body } = await node.request('GET', '/connectors/blocked/tasks/0/status');
    return JSON.stringify(body).includes('"call":"poll"');
  });
  // New threads, and with them modules that are read, and commits of the store.
  await node.run('in', { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' });
  await node.run('out', { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output });
  appendFileSync(input, 'a line\n');
  await until('it arrives', () => existsSync(output) && readFileSync(output, 'utf8') === 'a line\n');
  await stops(node);
});
