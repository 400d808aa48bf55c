/** What nobody needs any more gives its thread back: a plan whose config is replaced, a check whose client has gone. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

/** Waiting for the time limit instead would take longer than any request of the tests may. */
const SETTINGS = { 'planning.timeout.ms': '600000', 'http.request.timeout.ms': '700000' };
const FAULTY = { 'connector.class': 'FaultySource', topic: 'faulty' };

async function nodeWith(t: TestContext, threads: number): Promise<NodeProcess> {
  const dir = temporaryFolder();
  const pluginPaths = pluginPackage(dir, {
    class: 'FaultySource',
    type: 'source',
    module: './faulty-plugin.js',
  });
  const more = { pluginPaths, 'planning.threads.max': String(threads) };
  const node = await NodeProcess.create(dir, { ...SETTINGS, ...more });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  return node;
}

function times(node: NodeProcess, line: string): number {
  return node.output.split(line).length - 1;
}

test('a connector whose plan hangs runs once its config is mended, by PUT, by PATCH, and made anew', async (t) => {
  const node = await nodeWith(t, 2);
  const hang = async (): Promise<void> => {
    const before = times(node, 'the plan of c hangs');
    const reply = await node.request('PUT', '/connectors/c/config', { ...FAULTY, plan: 'hang' });
    assert.ok(reply.status < 300, JSON.stringify(reply));
    await until('it hangs', () => times(node, 'the plan of c hangs') > before);
  };
  await hang();
  await node.run('c', FAULTY);
  await hang();
  assert.equal((await node.request('PATCH', '/connectors/c/config', { plan: null })).status, 200);
  await node.state('c', 'RUNNING');
  await hang();
  assert.equal((await node.request('DELETE', '/connectors/c')).status, 204);
  await node.run('c', FAULTY);
});

test('a check whose client has gone away leaves its thread, and writes nothing', async (t) => {
  const node = await nodeWith(t, 1);
  const base = `http://127.0.0.1:${node.port}`;
  const config = { ...FAULTY, check: 'hang', name: 'c' };
  for (const path of ['/connectors/c/config', '/connector-plugins/FaultySource/config/validate']) {
    const before = times(node, 'the check of c hangs');
    const leaving = new AbortController();
    const answer = fetch(base + path, {
      method: 'PUT',
      body: JSON.stringify(config),
      headers: { 'content-type': 'application/json' },
      signal: leaving.signal,
    }).catch((error: unknown) => error);
    await until('it hangs', () => times(node, 'the check of c hangs') > before);
    leaving.abort();
    assert.ok((await answer) instanceof Error);
    const check = '/connector-plugins/FaultySource/config/validate';
    const other = await node.request('PUT', check, { ...FAULTY, name: 'd' });
    assert.equal(other.status, 200);
  }
  assert.equal((await node.request('GET', '/connectors/c')).status, 404);
});
