import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

test('records that are skipped leave a trace in the status and in the log', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  writeFileSync(join(dir, 'in.txt'), 'one\n');
  await node.run('skips', {
    'connector.class': 'FileSourceConnector',
    file: join(dir, 'in.txt'),
    topic: 'kept',
    'errors.tolerance': 'all',
    transforms: 'key',
    'transforms.key.type': 'ValueToKey',
    'transforms.key.fields': 'id',
  });
  await until('the status counts it', async () => {
    const { body } = await node.request('GET', '/connectors/skips/status');
    return (body as { tasks: { skipped?: number }[] }).tasks[0]?.skipped === 1;
  });
  assert.match(node.output, /RECORDS_SKIPPED[^\n]*transform key/);
});
