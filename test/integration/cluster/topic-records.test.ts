/** Records of a topic over REST, in a real node. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { NodeProcess, removeFolder, START_MS, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

interface Shown {
  readonly offset: number;
  readonly value?: unknown;
  readonly value_schema?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly raw?: { readonly value: string };
}

interface Answer {
  readonly code?: string;
  readonly queues: readonly { readonly from: number; readonly next: number; readonly endOffset: number }[];
  readonly records: readonly Shown[];
}

const dir = temporaryFolder();
let node: NodeProcess;

async function look(query: string, topic = 'lines'): Promise<Answer> {
  return (await node.request('GET', `/topics/${topic}/records${query}`)).body as Answer;
}

before(async () => {
  pluginPackage(dir, { class: 'SpinningConverter', type: 'converter', module: './spinning-converter.js' });
  node = await NodeProcess.create(dir, {
    pluginPaths: join(dir, 'plugins'),
    'planning.timeout.ms': '3000',
  });
  await node.start();
  writeFileSync(join(dir, 'in.txt'), '{"a":12345678901234567890}\nno json\n"last"\n');
  await node.run('lines', {
    'connector.class': 'FileSourceConnector',
    file: join(dir, 'in.txt'),
    topic: 'lines',
  });
  await until('the lines are there', async () => (await look('')).records.length === 3, START_MS);
});
after(async () => {
  await node.kill();
  removeFolder(dir);
});

test('the newest come first, as the node converts them, and others by offset', async () => {
  const { records, queues } = await look('?limit=2');
  assert.deepEqual(
    records.map(({ offset, value }) => [offset, value]),
    [
      [1, 'no json'],
      [2, '"last"'],
    ],
  );
  assert.deepEqual(records[0]?.value_schema, { type: 'STRING', optional: true });
  assert.deepEqual([queues[0]?.from, queues[0]?.next, queues[0]?.endOffset], [1, 3, 3]);
  const first = await look('?queue=0&offset=0&limit=1');
  assert.deepEqual([first.records[0]?.offset, first.queues[0]?.next], [0, 1]);
});

test('a chosen converter keeps every digit, and a record that it cannot read shows its error and its bytes', async () => {
  const path = '/topics/lines/records?value.converter=JsonConverter&value.converter.schemas.enable=false';
  const text = await (await fetch(`http://127.0.0.1:${node.port}${path}`)).text();
  assert.match(text, /"offset":0,[^]*"value":\{"a":12345678901234567890\}/);
  const { records } = JSON.parse(text) as Answer;
  const [, bad, last] = records;
  assert.equal(typeof bad?.error?.code, 'string');
  assert.equal(Buffer.from(bad?.raw?.value ?? '', 'base64').toString(), 'no json');
  assert.equal(last?.value, 'last');
});

test('what cannot be asked is refused', async () => {
  for (const [query, code, topic] of [
    ['?value.converter=Nowhere', 'CONFIG_INVALID'],
    ['?value.converter=JsonConverter&value.converter.schemas.enable=maybe', 'CONFIG_INVALID'],
    ['?queue=9', 'QUEUE_NOT_FOUND'],
    ['?offset=1', 'QUERY_INVALID'],
    ['?limit=0', 'QUERY_INVALID'],
    ['?connector=none', 'CONNECTOR_NOT_FOUND'],
    ['?connector=lines&value.converter=JsonConverter', 'QUERY_INVALID'],
    ['', 'TOPIC_OWN', 'connector-config-topic'],
    ['', 'TOPIC_NOT_FOUND', 'nowhere'],
  ] as const)
    assert.equal((await look(query, topic)).code, code, `${topic ?? ''}${query}`);
});

test('a converter that never comes back costs one thread of the planning pool, and no offset is moved', async () => {
  assert.equal((await look('?value.converter=SpinningConverter')).code, 'PLANNING_TIMEOUT');
  assert.equal((await look('?connector=lines')).records.length, 3);
  const { body } = await node.request('GET', '/health');
  assert.equal((body as { status: string }).status, 'healthy');
});
