/** Configurations as other runtimes have them, given to a node. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { until } from '../support/wait.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SAMPLES = join(ROOT, 'test/support/imports');

interface Told {
  readonly name: string;
  readonly plugin: string | null;
  readonly state: string;
  readonly keys: readonly {
    readonly key: string;
    readonly verdict: string;
    readonly to?: string;
    readonly reason?: string;
  }[];
  readonly notes: readonly string[];
}

interface Report {
  readonly created: number;
  readonly connectors: readonly Told[];
  readonly problems: readonly { readonly origin: string; readonly reason: string }[];
}

function sample(name: string, dir: string): { name: string; content: string } {
  const content = readFileSync(join(SAMPLES, name), 'utf8').replaceAll('/tmp/', `${dir}/`);
  return { name, content: content.replace('file=test.sink.txt', `file=${dir}/test.sink.txt`) };
}

async function started(
  t: TestContext,
  settings: Record<string, string> = {},
): Promise<readonly [NodeProcess, string]> {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, { 'offset.flush.interval.ms': '200', ...settings });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  return [node, dir];
}

const verdicts = (told: Told | undefined): Record<string, string> =>
  Object.fromEntries(
    (told?.keys ?? []).map(({ key, verdict, to }) => [key, to === undefined ? verdict : `${verdict} ${to}`]),
  );

test('files of other runtimes are answered key by key, and each connector is created or refused on its own', async (t) => {
  const [node, dir] = await started(t, { pluginPaths: join(ROOT, 'connectors') });
  const files = readdirSync(SAMPLES).map((name) => sample(name, dir));
  const dry = await node.request('POST', '/import', { files });
  assert.equal(dry.status, 200, JSON.stringify(dry.body));
  const report = dry.body as Report;
  assert.deepEqual(report.problems, [
    {
      origin: 'connect-distributed.properties',
      reason:
        'is the configuration of a worker, not of a connector: a node has its own parameters (docs/configuration.md)',
    },
  ]);
  const states = Object.fromEntries(report.connectors.map(({ name, state }) => [name, state]));
  assert.deepEqual(states, {
    'local-file-sink': 'VALID',
    'inventory-connector': 'REFUSED',
    lines: 'VALID',
    'jdbc-sink': 'REFUSED',
    hook: 'VALID',
    'hook-with-auth': 'REFUSED',
    fileConnectorSource: 'VALID',
    fileSinkConnector: 'VALID',
  });
  const of = (name: string): Told | undefined => report.connectors.find((each) => each.name === name);

  assert.deepEqual(verdicts(of('local-file-sink')), {
    name: 'used',
    'connector.class': 'used',
    'tasks.max': 'used',
    file: 'used',
    topics: 'used',
    'value.converter': 'used',
    'value.converter.schemas.enable': 'ignored',
    'consumer.override.max.poll.records': 'renamed batch.max.records',
    'consumer.override.auto.offset.reset': 'renamed initial_offsets',
    'consumer.override.fetch.min.bytes': 'ignored',
    'errors.tolerance': 'used',
  });
  const lines = verdicts(of('lines'));
  assert.equal(lines['producer.override.linger.ms'], 'renamed linger.ms');
  assert.equal(lines['producer.override.batch.size'], 'renamed batch.max.bytes');
  assert.equal(lines['producer.override.partitioner.class'], 'renamed partitioner=round-robin');
  for (const key of [
    'producer.override.acks',
    'producer.override.compression.type',
    'admin.override.request.timeout.ms',
  ])
    assert.equal(lines[key], 'ignored', key);
  assert.equal(lines['transforms.mask.field'], 'used');
  assert.deepEqual(verdicts(of('fileConnectorSource')), {
    'connector-class': 'renamed connector.class',
    topic: 'used',
    filename: 'renamed file',
    'source-record-converter': 'renamed value.converter',
    'update-timestamp': 'ignored',
    'max-task': 'renamed tasks.max',
  });
  const sink = verdicts(of('fileSinkConnector'));
  assert.equal(sink['connect.topicnames'], 'renamed topics');
  assert.equal(sink['max.tasks'], 'renamed tasks.max');
  assert.equal(sink['errors.deadletterqueue.read.queue.nums'], 'ignored');
  assert.equal(sink['transforms.rename.class'], 'renamed transforms.rename.type');
  assert.ok(of('fileSinkConnector')?.notes.some((note) => note.includes('consume.from.where')));
  const debezium = of('inventory-connector')?.keys.find(({ key }) => key === 'connector.class');
  assert.equal(debezium?.verdict, 'unsupported');
  assert.match(debezium?.reason ?? '', /JVM/);
  const jdbc = verdicts(of('jdbc-sink'));
  assert.equal(jdbc['transforms.unwrap.type'], 'unsupported');
  assert.equal(of('hook')?.plugin, 'HttpPostSink');
  assert.equal(verdicts(of('hook'))['http.url'], 'renamed url');
  assert.equal(verdicts(of('hook-with-auth'))['http.headers.authorization'], 'unsupported');
  assert.doesNotMatch(JSON.stringify(dry.body), /hunter2|s3cr3t|t0ken/);
  assert.deepEqual((await node.request('GET', '/connectors')).body, []);

  const made = (await node.request('POST', '/import?create=true', { files })).body as Report;
  assert.equal(made.created, 5, JSON.stringify(made));
  const again = (await node.request('POST', '/import?create=true', { files })).body as Report;
  assert.deepEqual(
    again.connectors
      .filter(({ state }) => state === 'EXISTS')
      .map(({ name }) => name)
      .sort(),
    ['fileConnectorSource', 'fileSinkConnector', 'hook', 'lines', 'local-file-sink'],
  );
  // It was paused where it comes from.
  await node.state('lines', 'PAUSED');
});

test('a sink that is imported with latest begins where its topic ends, and one that says nothing of it at its beginning', async (t) => {
  const [node, dir] = await started(t);
  const input = join(dir, 'in.txt');
  writeFileSync(input, 'old\n');
  await node.run('in', { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' });
  const sink = (name: string, own: object) => ({
    name,
    config: { 'connector.class': 'FileStreamSink', topics: 'lines', file: join(dir, name), ...own },
  });
  await node.run('before', sink('before', {}).config);
  await until('the old line is there', () => contentOf(join(dir, 'before'))?.toString() === 'old\n');
  const list = [
    sink('latest', { 'consumer.override.auto.offset.reset': 'latest' }),
    sink('first', { 'tasks.max': 1, unset: null, nested: { a: 1 } }),
    sink('second', { 'tasks.max': 1, unset: null }),
  ];
  const { body } = await node.request('POST', '/import?create=true', list);
  const { connectors } = body as Report;
  assert.deepEqual(
    connectors.map(({ state }) => state),
    ['CREATED', 'REFUSED', 'CREATED'],
    JSON.stringify(body),
  );
  assert.equal(verdicts(connectors[1])['nested'], 'invalid');
  assert.equal(verdicts(connectors[2])['unset'], 'ignored');
  await node.state('latest', 'RUNNING');
  appendFileSync(input, 'new\n');
  await until('both have the new line', () => {
    const [latest, second] = ['latest', 'second'].map((name) => contentOf(join(dir, name))?.toString() ?? '');
    if (latest === 'new\n' && second === 'old\nnew\n') return true;
    throw new Error(JSON.stringify([latest, second]));
  });
});

test('keys without effect are told by validation, by the status and in the log', async (t) => {
  const [node, dir] = await started(t);
  const config = {
    name: 'in',
    'connector.class': 'FileSourceConnector',
    file: join(dir, 'in.txt'),
    topic: 'lines',
    'acme.own.key': 'hunter2',
    'producer.override.acks': 'all',
  };
  const path = '/connector-plugins/FileSourceConnector/config/validate';
  const validation = (await node.request('PUT', path, config)).body as { warnings: { field: string }[] };
  assert.deepEqual(
    validation.warnings.map(({ field }) => field),
    ['acme.own.key', 'producer.override.acks'],
  );
  await node.run('in', config);
  const { body } = await node.request('GET', '/connectors/in/status');
  const { notes } = (body as { connector: { notes: { code: string; message: string }[] } }).connector;
  assert.equal(notes[0]?.code, 'CONFIG_KEYS_IGNORED');
  assert.match(
    notes[0]?.message ?? '',
    /acme\.own\.key is unknown, and ignored; producer\.override\.acks is ignored: /,
  );
  assert.match(node.output, /CONFIG_KEYS_IGNORED|acme\.own\.key/);
  assert.doesNotMatch(node.output + JSON.stringify(body), /hunter2/);
  const refused = await node.request('PUT', '/connectors/in/config', {
    ...config,
    'config.unknown.keys': 'fail',
  });
  assert.equal(refused.status, 400);
});

test('the command says what becomes of files, creates when asked to, and ends with what came of it', async (t) => {
  const [node, dir] = await started(t);
  const run = async (...args: string[]): Promise<{ code: number | null; out: string }> => {
    const child = spawn(process.execPath, [
      join(ROOT, 'scripts/import.mjs'),
      `--url=http://127.0.0.1:${node.port}`,
      ...args,
    ]);
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        out += chunk.toString();
      });
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, out };
  };
  const file = join(dir, 'sink.properties');
  writeFileSync(file, sample('connect-file-sink.properties', dir).content);
  const dry = await run(file);
  assert.equal(dry.code, 0, dry.out);
  assert.match(dry.out, /VALID {2}local-file-sink/);
  assert.match(dry.out, /renamed {5}consumer\.override\.max\.poll\.records → batch\.max\.records/);
  const created = await run('--create', '--state=STOPPED', file);
  assert.equal(created.code, 0, created.out);
  await until('it is there, stopped', async () => {
    const { body } = await node.request('GET', '/connectors/local-file-sink/status');
    return JSON.stringify(body).includes('STOPPED');
  });
  assert.equal((await run(join(SAMPLES, 'expand-info.json'))).code, 1);
  assert.equal((await run('--create', '--dry-run', file)).code, 2);
});
