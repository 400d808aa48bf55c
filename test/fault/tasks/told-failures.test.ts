/** A task that fails again and again: what its status and the health of its connector say meanwhile. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { NodeProcess, removeFolder, START_MS, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

interface Told {
  readonly state: string;
  readonly restart?: { readonly at: number; readonly left: number };
  readonly causes?: readonly { readonly at: number; readonly cause: string; readonly worker_id: string }[];
}

interface Health {
  readonly state: string;
  readonly message: string;
  readonly action: string | null;
}

async function started(
  t: test.TestContext,
  backoffMs: number,
  config: Readonly<Record<string, string>> = {},
): Promise<NodeProcess> {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, {
    workerId: 'here',
    pluginPaths: pluginPackage(dir, { class: 'FaultySource', type: 'source', module: './faulty-plugin.js' }),
    'task.restart.max': '3',
    'task.restart.backoff.min.ms': String(backoffMs),
    'task.restart.backoff.max.ms': String(backoffMs),
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  await node.request('PUT', '/connectors/broken/config', {
    'connector.class': 'FaultySource',
    topic: 'faulty',
    fault: 'throw',
    ...config,
  });
  return node;
}

async function told(node: NodeProcess): Promise<Told> {
  return (await node.request('GET', '/connectors/broken/tasks/0/status')).body as Told;
}

async function health(node: NodeProcess, name: string): Promise<Health | undefined> {
  const { body } = await node.request('GET', '/connectors?expand=health');
  return (body as Record<string, { health: Health }>)[name]?.health;
}

test('a task that waits for its next start says when that is, how many are left, and why it failed', async (t) => {
  const node = await started(t, 600_000);
  const status = await until(
    'it is RESTARTING',
    async () => {
      const found = await told(node);
      return found.state === 'RESTARTING' && found.restart !== undefined ? found : null;
    },
    START_MS,
  );
  assert.equal(status.restart?.left, 2);
  assert.ok((status.restart?.at ?? 0) > Date.now() + 60_000);
  assert.equal(status.causes?.length, 1);
  assert.match(status.causes[0]?.cause ?? '', /something broke in the plugin$/);
  assert.equal(status.causes[0]?.worker_id, 'here');
  const found = await health(node, 'broken');
  assert.equal(found?.state, 'failing');
  assert.match(
    found.message,
    /something broke in the plugin; it is started again at .*, 2 more starts are left/,
  );
  const file = join(node.dir, 'x.txt');
  writeFileSync(file, 'x\n');
  await node.run('fine', { 'connector.class': 'FileSourceConnector', file, topic: 'x' });
  assert.deepEqual(await health(node, 'fine'), { state: 'healthy', message: 'its task runs', action: null });
});

test('a task that has failed for good says why each of its starts failed', async (t) => {
  const node = await started(t, 20);
  const status = await until(
    'it is FAILED',
    async () => {
      const found = await told(node);
      return found.state === 'FAILED' ? found : null;
    },
    START_MS,
  );
  assert.equal(status.causes?.length, 4);
  assert.equal(status.restart, undefined);
  const found = await health(node, 'broken');
  assert.equal(found?.state, 'failed');
  assert.match(found.action ?? '', /POST \/connectors\/broken\/restart\?includeTasks=true&onlyFailed=true$/);
});

test('a connector may say how often and how soon its tasks start again, whatever its node says', async (t) => {
  const node = await started(t, 600_000, {
    'task.restart.max': '1',
    'task.restart.backoff.max.ms': '20',
  });
  const status = await until(
    'it is FAILED',
    async () => {
      const found = await told(node);
      return found.state === 'FAILED' ? found : null;
    },
    START_MS,
  );
  assert.equal(status.causes?.length, 2);
});
