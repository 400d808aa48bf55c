/** References to secrets are kept, and what they stand for is known in the threads of plugins alone. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

const FROM_ENV = 'hunter2-env-9f3a';
const FROM_FILE = 'hunter2-file-77c1';
process.env['TROUPETEST_DB'] = FROM_ENV;
process.env['OTHER_SECRET'] = 'not-yours-5521';

async function nodeFor(t: TestContext): Promise<{ node: NodeProcess; dir: string }> {
  const dir = temporaryFolder();
  pluginPackage(dir, { class: 'LeakySource', type: 'source', module: './leaky-source.js' });
  mkdirSync(join(dir, 'secrets'));
  writeFileSync(join(dir, 'secrets', 'db.properties'), `# of the database\nhost.password = ${FROM_FILE}\n`);
  writeFileSync(join(dir, 'outside.properties'), 'key=not-yours-5521\n');
  symlinkSync(join(dir, 'outside.properties'), join(dir, 'secrets', 'link.properties'));
  const node = await NodeProcess.create(dir, {
    pluginPaths: join(dir, 'plugins'),
    'config.providers.env.allow': 'TROUPETEST_*',
    'config.providers.file.paths': join(dir, 'secrets'),
    'task.restart.max': '1',
    'task.restart.backoff.min.ms': '10',
    configPersistInterval: '100',
    'log.level': 'debug',
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  return { node, dir };
}

function everyFile(dir: string): string[] {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).map((path) => join(dir, path));
  return paths.filter((path) => statSync(path).isFile());
}

test('a secret that is referred to reaches the plugin, and nothing else', async (t) => {
  const { node, dir } = await nodeFor(t);
  const config = {
    'connector.class': 'LeakySource',
    topic: 'x',
    proof: join(dir, 'proof.json'),
    'db.password': '${env:TROUPETEST_DB}',
    url: `jdbc:x://\${file:${join(dir, 'secrets', 'db.properties')}:host.password}@host/\${unknown:kept}`,
  };
  const answers: string[] = [];
  const ask = async (method: string, path: string, body?: unknown): Promise<number> => {
    const answer = await node.request(method, path, body);
    answers.push(JSON.stringify(answer.body));
    return answer.status;
  };
  const put = (name: string, more: Record<string, string> = {}): Promise<number> =>
    ask('PUT', `/connectors/${name}/config`, { ...config, ...more });
  for (const fail of ['start', 'poll', 'later']) {
    assert.equal(await put(fail, { fail, proof: join(dir, `${fail}.json`) }), 201, answers.at(-1));
    await until('the task has failed', async () => {
      await ask('GET', `/connectors/${fail}/status`);
      if (/"FAILED","worker_id":"[^"]+","trace":.*\[hidden\]/.test(answers.at(-1) ?? '')) return true;
      throw new Error(answers.at(-1));
    });
    const proof = contentOf(join(dir, `${fail}.json`))?.toString() ?? '';
    assert.match(proof, new RegExp(`"db.password":"${FROM_ENV}"`));
    assert.match(proof, new RegExp(`jdbc:x://${FROM_FILE}@host/\\$\\{unknown:kept\\}`));
    assert.match(proof, new RegExp(`x\\?password=${FROM_ENV}`), 'what the plan was made with comes back');
  }
  assert.equal(await put('refused', { check: 'refuse' }), 400);
  assert.match(answers.at(-1) ?? '', /is refused/);
  assert.equal(await put('number', { number: '${env:TROUPETEST_DB}' }), 400);
  const validate = '/connector-plugins/LeakySource/config/validate';
  assert.equal(await ask('PUT', validate, { ...config, name: 'v', check: 'refuse' }), 200);
  for (const path of [
    '/start',
    '/start/config',
    '/start/tasks',
    '?expand=info&expand=status',
    '/start/tasks/0/status',
  ])
    assert.equal(await ask('GET', `/connectors${path}`), 200);
  for (const path of ['/getConfigInfo', '/getAllocatedInfo', '/connectors/start/tasks-config', '/'])
    await ask('GET', path);
  assert.match(answers.join('\n'), /\$\{env:TROUPETEST_DB\}/, 'references are shown');
  await until('the files are written', () => contentOf(join(dir, 'store', 'taskConfig.json')) !== null);
  assert.equal(await node.stop(), 0);

  const looked = ['connectorConfig.json', 'taskConfig.json', 'position.json', 'offset.json'];
  const files = everyFile(join(dir, 'store'));
  for (const name of looked) assert.ok(files.includes(join(dir, 'store', name)), name);
  assert.ok(
    files.some((path) => path.includes('mdb')),
    'the store is looked at',
  );
  const places: [string, string][] = [
    ...files.map((path): [string, string] => [path, readFileSync(path, 'latin1')]),
    ['the log output', node.output],
    ...answers.map((answer): [string, string] => ['REST', answer]),
  ];
  assert.match(node.output, /logging in with \[hidden\]/);
  for (const [place, content] of places)
    for (const secret of [FROM_ENV, FROM_FILE])
      assert.ok(!content.includes(secret), `${place} holds a secret: ${around(content, secret)}`);
});

test('a task whose secret changes starts anew with it, loses nothing and repeats nothing', async (t) => {
  const { node, dir } = await nodeFor(t);
  const secrets = join(dir, 'secrets');
  const set = (name: string): void => {
    // As an orchestrator does: it is another file at once.
    writeFileSync(join(secrets, 'next'), join(dir, name));
    renameSync(join(secrets, 'next'), join(secrets, 'output'));
  };
  const input = join(dir, 'input.txt');
  set('one.txt');
  writeFileSync(input, 'first\n');
  const sink = { 'connector.class': 'FileSinkConnector', topics: 'lines', file: `\${dir:${secrets}:output}` };
  const put = async (name: string, config: object): Promise<void> => {
    assert.equal((await node.request('PUT', `/connectors/${name}/config`, config)).status, 201);
  };
  await put('source', { 'connector.class': 'FileSourceConnector', topic: 'lines', file: input });
  await put('sink', sink);
  await put('kept', {
    ...sink,
    'config.action.reload': 'none',
    file: join(dir, 'kept.txt'),
    'x.note': `\${dir:${secrets}:output}`,
  });
  const written = (name: string, lines: string): Promise<unknown> =>
    until(`${name} holds ${lines}`, () => contentOf(join(dir, name))?.toString() === lines, 30_000);
  await written('one.txt', 'first\n');
  set('two.txt');
  await until('the task starts anew', () => node.output.includes('the task starts anew with it'), 30_000);
  appendFileSync(input, 'second\n');
  await written('two.txt', 'second\n');
  await written('kept.txt', 'first\nsecond\n');
  await written('one.txt', 'first\n');
  assert.equal(node.output.split('the task starts anew with it').length, 2, 'the other goes on');
  rmSync(join(secrets, 'output'));
  await until('it is said', () => node.output.includes('a secret cannot be read'), 30_000);
  appendFileSync(input, 'third\n');
  await written('two.txt', 'second\nthird\n');
  const { body } = await node.request('PUT', '/connectors/sink/config', {
    ...sink,
    file: `\${dir:${secrets}/..:output}`,
  });
  assert.match(JSON.stringify(body), /config.providers.file.paths/);
});

test('a password that is written out is quoted by no error, answer or log line', async (t) => {
  const { node, dir } = await nodeFor(t);
  const password = 'hunter2-literal-31c8';
  const config = {
    'connector.class': 'LeakySource',
    topic: 'x',
    proof: join(dir, 'proof.json'),
    'db.password': password,
  };
  const answers: string[] = [];
  const ask = async (method: string, path: string, body?: unknown): Promise<number> => {
    const answer = await node.request(method, path, body);
    answers.push(JSON.stringify(answer.body));
    return answer.status;
  };
  assert.equal(await ask('PUT', '/connectors/a/config', { ...config, check: 'refuse' }), 400);
  assert.match(answers.at(-1) ?? '', /is refused, and \[hidden\] too/);
  assert.equal(await ask('PUT', '/connectors/a/config', { ...config, fail: 'start' }), 201);
  const validate = '/connector-plugins/LeakySource/config/validate';
  const stored = { ...config, name: 'a', 'db.password': '[hidden]', check: 'refuse' };
  assert.equal(await ask('PUT', validate, stored), 200);
  assert.match(answers.at(-1) ?? '', /is refused, and \[hidden\] too/);
  await until('the task has failed', async () => {
    await ask('GET', '/connectors/a/status');
    return /"FAILED","worker_id":"[^"]+","trace":.*\[hidden\]/.test(answers.at(-1) ?? '');
  });
  assert.equal(await node.stop(), 0);
  assert.match(contentOf(join(dir, 'proof.json'))?.toString() ?? '', new RegExp(password));
  assert.match(node.output, /logging in with \[hidden\]/);
  for (const text of [...answers, node.output])
    assert.ok(!text.includes(password), `it is quoted: ${around(text, password)}`);
});

test('what is not allowed, or not there, is refused by name when a connector is written', async (t) => {
  const { node, dir } = await nodeFor(t);
  const refused = async (reference: string, reason: RegExp): Promise<void> => {
    const config = { 'connector.class': 'LeakySource', topic: 'x', url: reference };
    const { status, body } = await node.request('PUT', '/connectors/c/config', config);
    const text = JSON.stringify(body);
    assert.equal(status, 400, text);
    assert.match(text, reason);
    assert.ok(text.includes(reference.slice(2, -1)), text);
    assert.doesNotMatch(text, /not-yours/);
  };
  await refused('${env:OTHER_SECRET}', /config\.providers\.env\.allow/);
  await refused('${env:TROUPETEST_NONE}', /set the environment variable TROUPETEST_NONE/);
  await refused(`\${file:${join(dir, 'outside.properties')}:key}`, /config\.providers\.file\.paths/);
  await refused(`\${file:${dir}/secrets/../outside.properties:key}`, /config\.providers\.file\.paths/);
  await refused(`\${file:${join(dir, 'secrets', 'link.properties')}:key}`, /in an allowed folder/);
  await refused(`\${file:${join(dir, 'secrets', 'none.properties')}:key}`, /cannot be read \(ENOENT\)/);
  await refused(`\${file:${join(dir, 'secrets', 'db.properties')}:nothing}`, /has no key nothing/);
});

function around(content: string, secret: string): string {
  const at = content.indexOf(secret);
  return JSON.stringify(content.slice(Math.max(0, at - 80), at + 80));
}
