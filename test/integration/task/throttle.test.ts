import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

const LINES = Array.from({ length: 100_000 }, (_, i) => `${i}\n`).join('');

test('throttled connectors say so in status and metrics, and move everything once they may', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const [input, output] = [join(dir, 'in.txt'), join(dir, 'out.txt')];
  writeFileSync(input, LINES);
  const source = { 'connector.class': 'FileSourceConnector', file: input, topic: 'slow' };
  const sink = { 'connector.class': 'FileSinkConnector', file: output, topics: 'slow' };
  await node.run('in', { ...source, 'throttle.records.per.second': '100' });
  await node.run('out', { ...sink, 'throttle.bytes.per.second': '50' });
  for (const name of ['in', 'out'])
    await until(`${name} says that it is throttled`, async () => {
      const { body } = await node.request('GET', `/connectors/${name}/tasks/0/status`);
      return (body as { notes?: { code: string }[] }).notes?.some(({ code }) => code === 'THROTTLED');
    });
  await until('the metrics count it', async () =>
    /^troupe_task_throttled_seconds_total\{connector="out",task="0"\} [0-9.]*[1-9]/m.test(
      String((await node.request('GET', '/metrics')).body),
    ),
  );
  await until('some of it is there', () => existsSync(output) && readFileSync(output, 'utf8').length > 0);
  await node.request('PUT', '/connectors/in/config', { ...source, 'throttle.records.per.second': '0' });
  await node.request('PUT', '/connectors/out/config', sink);
  await until('all of it is there', () => readFileSync(output, 'utf8').length >= LINES.length);
  assert.equal(readFileSync(output, 'utf8'), LINES);
});
