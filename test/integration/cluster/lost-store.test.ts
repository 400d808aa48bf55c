import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Cluster } from '../../support/cluster.js';
import { until } from '../../support/wait.js';

test('a node whose log was deleted under it is unhealthy, says why, and takes nothing that it could not keep', async (t) => {
  const cluster = new Cluster();
  t.after(() => cluster.destroy());
  await cluster.start('a');
  const node = cluster.node('a');
  await cluster.put('a', 'in', cluster.source(1));
  await cluster.running('a', 'in', 1);
  // First what a commit looks for: while it is there, a commit may make files beside it, and the folder is not empty again.
  rmSync(join(cluster.dir, 'log', 'data.mdb'));
  rmSync(join(cluster.dir, 'log'), { recursive: true, maxRetries: 10 });
  await until('its health says what is wrong', async () => {
    const { status, body } = await node.request('GET', '/health');
    assert.equal(status, 500);
    assert.match(JSON.stringify(body), /data\.mdb was deleted/);
    return true;
  });
  assert.match(node.output, /STORE_LOST/);
  const { status, body } = await node.request('PUT', '/connectors/late/config', cluster.source(1));
  assert.equal(status, 503);
  assert.match(JSON.stringify(body), /was deleted.*LOG_UNAVAILABLE/);
  assert.equal(existsSync(join(cluster.dir, 'log', 'data.mdb')), false, 'nor has it begun anew');
});
