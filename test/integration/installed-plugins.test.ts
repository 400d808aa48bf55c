/** Connectors that are packages beside Troupe: here the workspaces of the checkout, as npm links them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { serve } from '@troupe/test-support/serve';
import { NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { until } from '../support/wait.js';

async function startNode(t: TestContext, installed: boolean): Promise<NodeProcess> {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, { 'plugins.installed.enable': String(installed) });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  return node;
}

async function classes(node: NodeProcess): Promise<string[]> {
  const { body } = await node.request('GET', '/connector-plugins');
  return (body as { class: string }[]).map((plugin) => plugin.class);
}

test('a connector in a package beside Troupe is listed and runs', async (t) => {
  const posted: string[] = [];
  const served = await serve((request, response) => {
    request.on('data', (data: Buffer) => posted.push(data.toString()));
    request.on('end', () => response.writeHead(204).end());
  });
  t.after(served.cleanup);
  const node = await startNode(t, true);
  assert.ok((await classes(node)).includes('HttpPostSink'));
  writeFileSync(join(node.dir, 'in.txt'), 'first\nsecond\n');
  const files = join(node.dir, 'in.txt');
  await node.run('read', { 'connector.class': 'FileSource', topic: 'lines', files });
  await node.run('post', { 'connector.class': 'HttpPostSink', topics: 'lines', url: served.config.url });
  await until('both lines were posted', () => posted.length >= 2);
  assert.deepEqual(posted, ['first', 'second']);
});

test('a node without the package starts, and says what is missing when the class is asked for', async (t) => {
  const node = await startNode(t, false);
  assert.ok(!(await classes(node)).includes('HttpPostSink'));
  const { status, body } = await node.request('PUT', '/connectors/post/config', {
    'connector.class': 'HttpPostSink',
    topics: 'lines',
    url: 'http://127.0.0.1:9/',
  });
  assert.equal(status, 400);
  assert.match(
    JSON.stringify(body),
    /there is no source or sink \\"HttpPostSink\\".*found beside Troupe and in pluginPaths/,
  );
});
