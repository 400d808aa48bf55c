/** Connectors whose plans take memory in pieces that V8 would end the whole process for, in a real node with others beside. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from '../../support/cluster.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

const PLANS = ['eat-large', 'eat-maps', 'eat-buffers', 'nibble-large', 'nibble-buffers'];
/** A bound, also for a slow machine. */
const ENDED_MS = 300_000;

test('a node outlives plans that take all memory, and its pipelines lose nothing', async (t) => {
  const cluster = new Cluster({ 'planning.timeout.ms': '120000', 'http.request.timeout.ms': '200000' });
  t.after(() => cluster.destroy());
  pluginPackage(cluster.dir, { class: 'FaultySource', type: 'source', module: './faulty-plugin.js' });
  await cluster.start('a');
  const node = cluster.node('a');
  const { pid } = node;
  await cluster.put('a', 'one', cluster.source(1));
  await cluster.put('a', 'two', cluster.source(1));
  await cluster.put('a', 'sink', cluster.sink(1));
  for (const name of ['one', 'two', 'sink']) await cluster.running('a', name, 1);
  for (const plan of PLANS) {
    await cluster.put('a', plan, { 'connector.class': 'FaultySource', topic: 'faulty', plan });
    const look = async (): Promise<boolean> => {
      const status = JSON.stringify((await node.request('GET', `/connectors/${plan}/status`)).body);
      if (status.includes('PLANNING_OUT_OF_MEMORY')) return true;
      throw new Error(status);
    };
    await until(`${plan} is ended`, look, ENDED_MS);
    assert.equal((await node.request('DELETE', `/connectors/${plan}`)).status, 204);
  }
  assert.equal(node.pid, pid);
  for (const name of ['one', 'two', 'sink']) await cluster.running('a', name, 1);
  for (const name of ['one', 'two'])
    assert.equal((await node.request('PUT', `/connectors/${name}/stop`)).status, 204);
  const { lost } = await cluster.countAll('a');
  assert.equal(lost, 0);
  assert.equal(node.pid, pid);
  assert.ok(!node.output.includes('started again'), 'no thread beside was ended');
});
