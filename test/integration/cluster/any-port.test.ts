import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeProcess, removeFolder, RestClient, temporaryFolder } from '../../support/node-process.js';

test('a node that may take any port tells the one it has, in its log and to the cluster', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, { httpPort: '0' });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const stage3 = node.output.split('\n').find((line) => line.includes('Stage 3')) ?? '';
  const [, url = '', port = '0'] = /"rest":"(http:\/\/127\.0\.0\.1:(\d+))"/.exec(stage3) ?? [];
  assert.notEqual(port, '0');
  const rest = new RestClient(Number(port));
  const nodes = (await rest.request('GET', '/nodes')).body as readonly { restUrl: string }[];
  assert.deepEqual(
    nodes.map(({ restUrl }) => restUrl),
    [url],
  );
  const { commit } = (await rest.request('GET', '/')).body as { commit: string };
  assert.match(commit, /^([0-9a-f]{40}|unknown)$/);
});
