import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';

async function nodeFor(t: TestContext): Promise<NodeProcess> {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  return node;
}

test('a name that no connector can have is not found, and nothing is written for it', async (t) => {
  const node = await nodeFor(t);
  await node.start();
  for (const [method, path] of [
    ['DELETE', '/connectors/a%2Fb'],
    ['DELETE', '/connectors/%20'],
    ['PUT', '/connectors/a%2Fb/pause'],
    ['PUT', '/connectors/a%2Fb/resume'],
    ['PUT', '/connectors/a%2Fb/stop'],
    ['POST', '/connectors/a%2Fb/restart'],
    ['GET', '/connectors/a%2Fb/stop'],
  ] as const) {
    const { status, body } = await node.request(method, path);
    assert.equal(status, 404, `${method} ${path}`);
    assert.match(JSON.stringify(body), /CONNECTOR_NOT_FOUND/);
  }
  assert.equal(await node.stop(), 0);
  assert.doesNotMatch(node.output, /"topic":"connector-config-topic"/, 'an entry was passed over');
});
