import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import {
  contentOf,
  NodeProcess,
  removeFolder,
  START_MS,
  temporaryFolder,
} from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

const dir = temporaryFolder();
const input = join(dir, 'in.txt');
const output = join(dir, 'out.txt');
const MAX = 2000;
let node: NodeProcess;

before(async () => {
  writeFileSync(input, '');
  const plugins = pluginPackage(dir, {
    class: 'PartitionsSource',
    type: 'source',
    module: './partitions-source.js',
  });
  node = await NodeProcess.create(dir, {
    pluginPaths: plugins,
    'source.partitions.max': String(MAX),
    positionPersistInterval: '100',
  });
  await node.start();
  await node.run('in', { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' });
  await node.run('out', { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output });
});

after(async () => {
  await node.kill();
  removeFolder(dir);
});

function partitionsOf(connector: string): number {
  const text = contentOf(join(dir, 'store', 'position.json'))?.toString() ?? '{}';
  const { connectors = {} } = JSON.parse(text) as { connectors?: Record<string, readonly unknown[]> };
  return connectors[connector]?.length ?? 0;
}

async function failed(name: string): Promise<string> {
  return until(
    `${name} has failed`,
    async () => {
      const { body } = await node.request('GET', `/connectors/${name}/tasks/0/status`);
      const { state, trace = '' } = body as { state: string; trace?: string };
      if (state === 'FAILED') return trace;
      throw new Error(JSON.stringify(body));
    },
    START_MS,
  );
}

async function othersGoOn(line: string): Promise<void> {
  appendFileSync(input, `${line}\n`);
  await until('a line passes', () => contentOf(output)?.toString().endsWith(`${line}\n`) === true, START_MS);
}

test('a source that retires its partitions leaves few positions, however many it has had', async () => {
  const config = {
    'connector.class': 'PartitionsSource',
    topic: 'rows',
    rows: String(3 * MAX),
    retire: 'true',
  };
  await node.run('tidy', config);
  await until('it is through', () => contentOf(join(dir, 'store', 'position.json')) !== null, START_MS);
  await node.run('count', {
    'connector.class': 'FileSinkConnector',
    topics: 'rows',
    file: join(dir, 'rows.txt'),
  });
  await until(
    'all rows have come',
    () =>
      contentOf(join(dir, 'rows.txt'))
        ?.toString()
        .endsWith(`row ${3 * MAX}\n`) === true,
    START_MS,
  );
  await until('their positions are gone', () => partitionsOf('tidy') === 0, START_MS);
  await node.state('tidy', 'RUNNING');
});

test('a source with too many partitions is FAILED; its node starts again, and it can be deleted', async () => {
  await node.request('PUT', '/connectors/many/config', {
    'connector.class': 'PartitionsSource',
    topic: 'rows',
  });
  const trace = await failed('many');
  assert.match(trace, /TOO_MANY_PARTITIONS.*source\.partitions\.max/);
  await othersGoOn('beside it');
  assert.ok(partitionsOf('many') > MAX && partitionsOf('many') < 20 * MAX, String(partitionsOf('many')));
  await node.kill();
  await node.start();
  assert.match(await failed('many'), /TOO_MANY_PARTITIONS/, 'it is not given more than a task can hold');
  await othersGoOn('after a restart');
  const { status } = await node.request('DELETE', '/connectors/many');
  assert.equal(status, 204);
  await othersGoOn('after its deletion');
});
