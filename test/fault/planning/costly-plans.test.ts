/** Connectors whose planning costs a thread each time: given up in the end, and tried again when somebody asks for it. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

const dir = temporaryFolder();
const fault = join(dir, 'the-fault-lasts');
let node: NodeProcess;

before(async () => {
  const plugins = pluginPackage(dir, { class: 'FaultySource', type: 'source', module: './faulty-plugin.js' });
  node = await NodeProcess.create(dir, {
    pluginPaths: plugins,
    'task.restart.max': '1',
    'task.restart.backoff.min.ms': '20',
    'task.restart.backoff.max.ms': '50',
    'planning.timeout.ms': '8000',
  });
  await node.start();
});

after(async () => {
  await node.kill();
  removeFolder(dir);
});

for (const [plan, code] of [
  ['eat', /PLANNING_OUT_OF_MEMORY: the connector took more than the 1024 MB/],
  ['hang', /PLANNING_TIMEOUT/],
] as const) {
  test(`a connector whose planning does "${plan}" each time stays FAILED until it is restarted`, async () => {
    writeFileSync(fault, '');
    const path = `/connectors/${plan}`;
    const config = { 'connector.class': 'FaultySource', topic: 'faulty', plan: `${plan}:${fault}` };
    assert.equal((await node.request('PUT', `${path}/config`, config)).status, 201);
    const status = await until(
      'it is given up',
      async () => {
        const text = JSON.stringify((await node.request('GET', `${path}/status`)).body);
        return text.includes('tried as often as task.restart.max allows') ? text : null;
      },
      120_000,
    );
    assert.match(status, /"state":"FAILED"/);
    assert.match(status, code);
    assert.equal((await node.request('GET', '/health')).status, 200);
    rmSync(fault);
    assert.equal((await node.request('POST', `${path}/restart`)).status, 204);
    await node.state(plan, 'RUNNING');
  });
}

test('a connector that was given up is planned again when its config changes', async () => {
  writeFileSync(fault, '');
  const config = { 'connector.class': 'FaultySource', topic: 'faulty', plan: `eat:${fault}` };
  await node.request('PUT', '/connectors/changed/config', config);
  await until(
    'it is given up',
    async () =>
      JSON.stringify((await node.request('GET', '/connectors/changed/status')).body).includes(
        'tried as often',
      ),
    120_000,
  );
  await node.run('changed', { ...config, plan: '' });
});
