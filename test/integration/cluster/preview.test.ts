/** Previews in a real node: nothing is written, and nothing moves. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { NodeProcess, removeFolder, START_MS, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

interface Shown {
  readonly topic?: string;
  readonly original_topic?: string;
  readonly value?: unknown;
  readonly source_position?: { readonly at: number };
  readonly dropped?: true;
  readonly error?: { readonly code: string };
  readonly raw?: object;
}

interface Answer {
  readonly code?: string;
  readonly message?: string;
  readonly type: string;
  readonly records: readonly Shown[];
  readonly stopped: string | null;
  readonly error?: { readonly message: string };
}

const dir = temporaryFolder();
const diaries = new Map<string, string>();
let node: NodeProcess;

async function look(name: string, query = ''): Promise<Answer> {
  return (await node.request('GET', `/connectors/${name}/preview${query}`)).body as Answer;
}

function config(mode: string): Record<string, string> {
  const diary = join(dir, `diary-${mode}`);
  writeFileSync(diary, '');
  diaries.set(mode, diary);
  return {
    'connector.class': 'PreviewedSource',
    topic: 'numbers',
    mode,
    diary,
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': 'false',
  };
}

const said = (mode: string): readonly string[] =>
  readFileSync(diaries.get(mode) ?? '', 'utf8')
    .trimEnd()
    .split('\n');

async function durable(name: string): Promise<unknown> {
  return (await node.request('GET', `/connectors/${name}/offsets`)).body;
}

async function topics(): Promise<string> {
  return JSON.stringify((await node.request('GET', '/topics')).body);
}

before(async () => {
  pluginPackage(dir, { class: 'PreviewedSource', type: 'source', module: './previewed-source.js' });
  mkdirSync(join(dir, 'secrets'));
  writeFileSync(join(dir, 'secrets', 'token'), 'say "hush"\nor not');
  writeFileSync(join(dir, 'secrets', 'number'), '987654321');
  node = await NodeProcess.create(dir, {
    pluginPaths: join(dir, 'plugins'),
    'planning.timeout.ms': '4000',
    'config.providers.file.paths': join(dir, 'secrets'),
  });
  await node.start();
  writeFileSync(join(dir, 'in.txt'), '{"a":1,"b":"x"}\n{"a":2,"b":"y"}\nno json\n{"a":4}\n');
  await node.run('lines', {
    'connector.class': 'FileSourceConnector',
    file: join(dir, 'in.txt'),
    topic: 'lines',
  });
  await until(
    'the lines are there',
    async () => {
      const { body } = await node.request('GET', '/topics/lines/records');
      return (body as Answer).records.length === 4;
    },
    START_MS,
  );
});
after(async () => {
  await node.kill();
  removeFolder(dir);
});

test('a sink that is stopped shows what it would be given, after its transforms, and keeps its offsets', async () => {
  const sink = {
    'connector.class': 'FileSinkConnector',
    file: join(dir, 'out.txt'),
    topics: 'lines',
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': 'false',
    transforms: 'mask,route,drop',
    'transforms.mask.type': 'ReplaceField$Value',
    'transforms.mask.exclude': 'b',
    'transforms.route.type': 'RegexRouter',
    'transforms.route.regex': 'lines',
    'transforms.route.replacement': 'masked',
    'transforms.drop.type': 'Filter',
    'transforms.drop.condition': 'value.a != 2.0',
  };
  const created = await node.request('POST', '/connectors', {
    name: 'out',
    config: sink,
    initial_state: 'STOPPED',
  });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const before = await durable('out');
  const { type, records } = await look('out', '?from=next');
  assert.equal(type, 'sink');
  const [first, second, bad, last] = records;
  assert.deepEqual([first?.topic, first?.original_topic, first?.value], ['masked', 'lines', { a: 1 }]);
  assert.equal(second?.dropped, true);
  assert.ok(bad?.error !== undefined && bad.raw !== undefined);
  assert.deepEqual(last?.value, { a: 4 });
  assert.equal((await look('out', '?limit=1')).records.length, 1);
  assert.deepEqual(await durable('out'), before);
  const asked = await node.request('POST', '/connector-plugins/FileSinkConnector/preview?limit=1', {
    ...sink,
    transforms: '',
  });
  assert.deepEqual((asked.body as Answer).records[0]?.value, { a: 4 });
});

test('a source shows what comes next from its positions, by a task that is closed after it, and has moved nothing', async () => {
  await node.run('numbers', config('numbers'));
  await until(
    'it has positions',
    async () => JSON.stringify(await durable('numbers')).includes('at'),
    START_MS,
  );
  assert.equal((await node.request('PUT', '/connectors/numbers/stop')).status, 204);
  await until('its task has stopped', () => said('numbers').at(-1) === 'stop', START_MS);
  const before = await durable('numbers');
  const { records, stopped } = await look('numbers', '?limit=3');
  const at = (before as { offsets: { partition: { p: number }; offset: { at: number } }[] }).offsets.find(
    ({ partition }) => partition.p === 0,
  )?.offset.at;
  assert.deepEqual(
    records.map((record) => record.source_position?.at),
    [1, 2, 3].map((n) => (at ?? NaN) + n),
  );
  assert.equal(stopped, null);
  assert.deepEqual(said('numbers').slice(-2), [`start at ${(at ?? NaN) + 1}`, 'stop']);
  const anew = await look('numbers', '?limit=1&from=earliest');
  assert.equal(anew.records[0]?.source_position?.at, 0);
  assert.deepEqual(await durable('numbers'), before);
});

test('a configuration that is no connector yet is tried from the beginning, and leaves nothing', async () => {
  const known = await topics();
  const shown = await node.request('POST', '/connector-plugins/PreviewedSource/preview?limit=2', {
    ...config('tried'),
    topic: 'never-made',
    transforms: 'cut',
    'transforms.cut.type': 'ExtractField$Value',
    'transforms.cut.field': 'text',
  });
  const { records } = shown.body as Answer;
  assert.deepEqual(
    records.map(({ topic, value }) => [topic, value]),
    [
      ['never-made', 'n0'],
      ['never-made', 'n1'],
    ],
    JSON.stringify(shown.body),
  );
  assert.deepEqual(said('tried'), ['start at 0', 'stop']);
  assert.equal(await topics(), known);
});

test('a source that refuses, fails or never comes back says so, and the node goes on', async () => {
  const tried = async (mode: string): Promise<Answer> =>
    (await node.request('POST', '/connector-plugins/PreviewedSource/preview', config(mode))).body as Answer;
  const refused = await tried('refuses');
  assert.equal(refused.code, 'PREVIEW_REFUSED');
  assert.match(refused.message ?? '', /there is one reader/);
  assert.deepEqual(said('refuses'), ['']);
  const failed = await tried('fails');
  assert.deepEqual(
    [failed.records.length, failed.stopped, failed.error?.message],
    [2, 'ERROR', 'the system is broken'],
  );
  assert.equal((await tried('spins')).code, 'PLANNING_TIMEOUT');
  assert.equal((await tried('numbers')).records.length, 10);
  assert.equal((await look('nobody')).code, 'CONNECTOR_NOT_FOUND');
});

test('what a configuration refers to is not told by a record that a transform has written it into', async () => {
  const shown = await node.request('POST', '/connector-plugins/PreviewedSource/preview?limit=1', {
    ...config('secret'),
    transforms: 'tell,number,cast',
    'transforms.tell.type': 'InsertField$Value',
    'transforms.tell.static.field': 'told',
    'transforms.tell.static.value': `got \${dir:${join(dir, 'secrets')}:token}`,
    'transforms.number.type': 'InsertField$Value',
    'transforms.number.static.field': 'counted',
    'transforms.number.static.value': `\${dir:${join(dir, 'secrets')}:number}`,
    'transforms.cast.type': 'Cast$Value',
    'transforms.cast.spec': 'counted:int64',
  });
  assert.deepEqual((shown.body as Answer).records[0]?.value, {
    number: 0,
    text: 'n0',
    told: 'got [hidden]',
    counted: '[hidden]',
  });
});
