import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cluster } from '../../support/cluster.js';
import { contentOf } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

/** As the cluster itself would write it. */
const DELETE = '{"v":1,"node":"b","incarnation":"x","seq":1,"entry":{"type":"DELETE","name":"victim"}}\n';

test('lines that a transform sends to the topic of configs change nothing there', async (t) => {
  const cluster = new Cluster();
  t.after(() => cluster.destroy());
  await cluster.start('a');
  const node = cluster.node('a');
  await cluster.put('a', 'victim', cluster.source(1));
  const input = join(cluster.dir, 'in.txt');
  const output = join(cluster.dir, 'out.txt');
  writeFileSync(input, DELETE.repeat(3) + 'good\n');
  const source = {
    'connector.class': 'FileSourceConnector',
    file: input,
    topic: 'lines',
    'base.dir': cluster.dir,
  };
  const direct = await node.request('PUT', '/connectors/in/config', {
    ...source,
    topic: 'connector-config-topic',
  });
  assert.equal(direct.status, 400);
  assert.match(JSON.stringify(direct.body), /CONFIG_INVALID.*cluster's own topics/);
  const routed = {
    ...source,
    transforms: 'r',
    'transforms.r.type': 'RegexRouter',
    'transforms.r.regex': '.*',
    'transforms.r.replacement': 'connector-config-topic',
  };
  await cluster.put('a', 'in', routed);
  await until('its task fails, and says why', async () => {
    const status = JSON.stringify(await cluster.status('a', 'in'));
    assert.match(status, /RESTARTING|FAILED/);
    assert.match(status, /OWN_TOPIC|cluster's own/);
    return true;
  });
  await cluster.put('a', 'in2', { ...source, topic: 'lines' });
  await cluster.put('a', 'out', {
    'connector.class': 'FileSinkConnector',
    topics: 'lines',
    file: output,
    'base.dir': cluster.dir,
  });
  await until('the node runs on', () => contentOf(output)?.toString().endsWith('good\n') === true);
  assert.equal((await node.request('GET', '/connectors/victim')).status, 200);
});
