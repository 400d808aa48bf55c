/** Tests of transforms over REST, and by the command. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

test('a node runs tests of transforms where plugins plan, and shows no secret that comes out of them', async (t) => {
  const dir = temporaryFolder();
  const secrets = join(dir, 'secrets.properties');
  writeFileSync(secrets, 'word=open-sesame\n');
  const node = await NodeProcess.create(dir, {
    'config.providers.file.paths': dir,
    'planning.timeout.ms': '5000',
    pluginPaths: join(ROOT, 'connectors/script'),
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const path = '/connector-plugins/FileSourceConnector/config/transforms/test';
  const config = {
    'connector.class': 'FileSourceConnector',
    transforms: 't',
    'transforms.t.type': 'InsertField$Value',
    'transforms.t.static.field': 'word',
    'transforms.t.static.value': `\${file:${secrets}:word}`,
  };
  const tests = [{ name: 'adds', in: { value: { a: 1 } }, out: { value: { a: 1, word: 'x' } } }];
  const answer = await node.request('PUT', path, { config, tests });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const report = answer.body as { failed: number; tests: { out: object }[] };
  assert.equal(report.failed, 1);
  assert.doesNotMatch(JSON.stringify(answer.body), /sesame/);
  assert.match(JSON.stringify(answer.body), /word/);

  const slow = { transforms: 't', 'transforms.t.type': 'Script', 'transforms.t.timeout.ms': '10000' };
  const loop = { ...slow, 'transforms.t.script': '(r) => { for (;;); }' };
  const ended = await node.request('PUT', path, { config: loop, tests });
  assert.equal(ended.status, 504, JSON.stringify(ended.body));
  const fine = { ...slow, 'transforms.t.script': '(r) => ({ ...r, value: { a: 1, word: "x" } })' };
  const passed = await node.request('PUT', path, { config: fine, tests });
  assert.equal((passed.body as { passed: number }).passed, 1, JSON.stringify(passed.body));
  const refused = await node.request('PUT', path, { config: { transforms: 'a' }, tests });
  assert.equal(refused.status, 400, JSON.stringify(refused.body));
  assert.equal((await node.request('PUT', path, { tests })).status, 400);
});

test('the command runs the tests beside a connector, and ends with what came of them', (t) => {
  const dir = temporaryFolder();
  t.after(() => {
    removeFolder(dir);
  });
  const file = join(dir, 'orders.test.json');
  writeFileSync(
    join(dir, 'orders.properties'),
    'name=orders\nconnector.class=FileStreamSource\ntransforms=t\ntransforms.t.type=RegexRouter\ntransforms.t.regex=(.*)\ntransforms.t.replacement=x-$1\n',
  );
  const run = (out: string): { status: number | null; text: string } => {
    writeFileSync(file, `[{"name": "routes", "in": {"topic": "a", "value": 1}, "out": {"topic": "${out}"}}]`);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'scripts/test-transforms.mjs'), file],
      {
        encoding: 'utf8',
      },
    );
    return { status, text: stdout + stderr };
  };
  const good = run('x-a');
  assert.equal(good.status, 0, good.text);
  const bad = run('y');
  assert.equal(bad.status, 1, bad.text);
  assert.match(bad.text, /FAILED {2}routes\n {8}out\.topic\n {10}expected "y"\n {10}came {5}"x-a"/);
  writeFileSync(file, '{');
  assert.equal(spawnSync(process.execPath, [join(ROOT, 'scripts/test-transforms.mjs'), file]).status, 2);
});
