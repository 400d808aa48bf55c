import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serve } from '@troupe/test-support/serve';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

const AVRO = fileURLToPath(
  new URL('../connectors/avro-converter', import.meta.resolve('#troupe/supervisor.js')),
);

test('records and headers go through a registry that is away for a while, and none is skipped', async (t) => {
  const asked: string[] = [];
  const registry = await serve((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    response.end('{"id":7,"schema":"\\"string\\""}');
  });
  t.after(registry.cleanup);
  const comeBack = await registry.interrupt();
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, { pluginPaths: AVRO });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const lines = Array.from({ length: 500 }, (_, i) => `line ${i}`);
  writeFileSync(join(dir, 'in.txt'), lines.map((line) => `${line}\n`).join(''));
  const converters = {
    'value.converter': 'io.confluent.connect.avro.AvroConverter',
    'value.converter.schema.registry.url': registry.config.url,
    'header.converter': 'JsonConverter',
    // What is not skipped although it might be.
    'errors.tolerance': 'all',
    'errors.retry.delay.max.ms': '50',
    'errors.retry.timeout': '-1',
  };
  const file = { file: join(dir, 'in.txt'), topic: 'lines' };
  await node.run('in', { 'connector.class': 'FileSourceConnector', ...file, ...converters });
  const stalled = await until('the source says what it waits for', async () => {
    const { body } = await node.request('GET', '/connectors/in/status');
    const text = JSON.stringify(body);
    return text.includes('the schema registry does not answer') && text;
  });
  assert.match(stalled, /status 503/);
  await comeBack();
  const out = join(dir, 'out.txt');
  await node.run('out', {
    'connector.class': 'FileSinkConnector',
    file: out,
    topics: 'lines',
    'offset.flush.interval.ms': '100',
    ...converters,
  });
  await until('everything is there', () => contentOf(out)?.toString().split('\n').length === 501);
  assert.equal(readFileSync(out, 'utf8'), readFileSync(join(dir, 'in.txt'), 'utf8'));
  // One question a task, whatever the number of records.
  assert.deepEqual(asked, ['POST /subjects/lines-value/versions', 'GET /schemas/ids/7']);
});
