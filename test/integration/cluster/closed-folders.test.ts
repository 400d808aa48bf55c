import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../support/wait.js';
import { NodeProcess, contentOf, removeFolder, temporaryFolder } from '../../support/node-process.js';

test('REST cannot have a connector write a plugin: neither when it is configured nor when the file is opened', async (t) => {
  const dir = temporaryFolder();
  mkdirSync(join(dir, 'plugins', 'evil'), { recursive: true });
  mkdirSync(join(dir, 'out'));
  writeFileSync(join(dir, 'in.txt'), 'export default {};\n');
  const node = await NodeProcess.create(dir, { pluginPaths: 'plugins', 'task.restart.max': '0' });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  await node.run('in', { 'connector.class': 'FileSource', file: join(dir, 'in.txt'), topic: 'lines' });
  const sink = (file: string): Record<string, string> => ({
    'connector.class': 'FileSink',
    topics: 'lines',
    file: join(dir, file),
  });
  for (const file of ['plugins/evil/index.js', 'out/../plugins/evil/index.js', 'store/x.json']) {
    const { status, body } = await node.request('PUT', '/connectors/evil/config', sink(file));
    assert.equal(status, 400, file);
    assert.match(JSON.stringify(body), /belongs to the (plugins|store) of this node/);
  }
  // Where the first topic leads is fine.
  symlinkSync(join(dir, 'plugins', 'evil'), join(dir, 'out', 'lines'));
  const late = { ...sink('out/{topic}/index.js'), topics: 'first,lines' };
  assert.equal((await node.request('PUT', '/connectors/late/config', late)).status, 201);
  await until('the task has failed', async () => {
    const { body } = await node.request('GET', '/connectors/late/status');
    return JSON.stringify(body).includes('FILE_NOT_ALLOWED');
  });
  assert.deepEqual(readdirSync(join(dir, 'plugins', 'evil')), []);
  assert.equal(contentOf(join(dir, 'plugins', 'evil', 'index.js')), null);
});
