/** Connectors whose planning costs a thread each time: given up in the end, and tried again when somebody asks for it. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

const GIVEN_UP_MS = 300_000;

async function nodeWith(t: TestContext, planningTimeoutMs: number) {
  const dir = temporaryFolder();
  const plugins = pluginPackage(dir, { class: 'FaultySource', type: 'source', module: './faulty-plugin.js' });
  const node = await NodeProcess.create(dir, {
    pluginPaths: plugins,
    'task.restart.max': '1',
    'task.restart.backoff.min.ms': '20',
    'task.restart.backoff.max.ms': '50',
    'planning.timeout.ms': String(planningTimeoutMs),
    'http.request.timeout.ms': String(2 * planningTimeoutMs),
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const fault = join(dir, 'the-fault-lasts');
  writeFileSync(fault, '');
  return {
    node,
    mend: () => {
      rmSync(fault);
    },
    /** Makes a connector that plans badly for as long as the fault lasts; answers its status once it is given up. */
    givenUp: async (name: string, plan: string): Promise<string> => {
      const config = { 'connector.class': 'FaultySource', topic: 'faulty', plan: `${plan}:${fault}` };
      assert.equal((await node.request('PUT', `/connectors/${name}/config`, config)).status, 201);
      const look = async (): Promise<string | null> => {
        const text = JSON.stringify((await node.request('GET', `/connectors/${name}/status`)).body);
        return text.includes('tried as often as task.restart.max allows') ? text : null;
      };
      return until('it is given up', look, GIVEN_UP_MS);
    },
  };
}

for (const [plan, code, timeoutMs] of [
  // Its end is that of the memory, also on a slow machine.
  ['eat', /PLANNING_OUT_OF_MEMORY: the connector took more than the 1024 MB/, 120_000],
  ['hang', /PLANNING_TIMEOUT/, 5000],
] as const) {
  test(`a connector whose planning does "${plan}" each time stays FAILED until it is restarted`, async (t) => {
    const { node, givenUp, mend } = await nodeWith(t, timeoutMs);
    const status = await givenUp('c', plan);
    assert.match(status, /"state":"FAILED"/);
    assert.match(status, code);
    assert.equal((await node.request('GET', '/health')).status, 200);
    mend();
    assert.equal((await node.request('POST', '/connectors/c/restart')).status, 204);
    await node.state('c', 'RUNNING');
  });
}

test('a connector that was given up is planned again when its config changes', async (t) => {
  const { node, givenUp } = await nodeWith(t, 5000);
  await givenUp('c', 'hang');
  await node.run('c', { 'connector.class': 'FaultySource', topic: 'faulty' });
});
