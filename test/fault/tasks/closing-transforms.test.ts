/** Transforms and predicates are closed when their task ends, and do not keep it from ending. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

const dir = temporaryFolder();
const closed = join(dir, 'closed.txt');
let node: NodeProcess;

/** Both write their alias when they are closed, and end as their `ends` says. */
const MODULE = `
  import { appendFileSync } from 'node:fs';
  const config = ['name', 'ends'].map((name) => ({ name, type: 'STRING', importance: 'LOW', documentation: '' }));
  const made = (config) => ({
    apply: (record) => record,
    test: () => true,
    async close() {
      appendFileSync(${JSON.stringify(closed)}, config.string('name') + '\\n');
      if (config.string('ends') === 'rejecting') throw new Error('no end of ' + config.string('name'));
      if (config.string('ends') === 'never') await new Promise(() => undefined);
    },
  });
  export const transform = { type: 'transformation', plugin: { version: '1', config, create: made } };
  export const predicate = { type: 'predicate', plugin: { version: '1', config, create: made } };
`;

before(async () => {
  const folder = join(dir, 'plugins', 'closing');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.js'), MODULE);
  const plugin = (name: string, type: string, of: string): object => ({
    class: name,
    type,
    version: '1',
    module: `index.js#${of}`,
  });
  const plugins = [
    plugin('Closing', 'transformation', 'transform'),
    plugin('ClosingPredicate', 'predicate', 'predicate'),
  ];
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'closing', version: '1.0.0', type: 'module', troupe: { plugins } }),
  );
  node = await NodeProcess.create(dir, {
    pluginPaths: join(dir, 'plugins'),
    'task.restart.max': '0',
    'task.stop.timeout.ms': '1000',
  });
  await node.start();
});

after(async () => {
  await node.kill();
  removeFolder(dir);
});

const says = (name: string): boolean => (contentOf(closed)?.toString() ?? '').split('\n').includes(name);

async function run(
  name: string,
  ends: 'well' | 'rejecting' | 'never',
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  writeFileSync(join(dir, `${name}.in`), '');
  await node.run(name, {
    'connector.class': 'FileSource',
    file: join(dir, `${name}.in`),
    topic: name,
    transforms: 't',
    'transforms.t.type': 'Closing',
    'transforms.t.name': `${name}.t`,
    'transforms.t.ends': ends,
    'transforms.t.predicate': 'p',
    predicates: 'p',
    'predicates.p.type': 'ClosingPredicate',
    'predicates.p.name': `${name}.p`,
    'predicates.p.ends': 'well',
    ...more,
  });
  // Validation has closed some of its own.
  writeFileSync(closed, '');
}

for (const ends of ['well', 'rejecting', 'never'] as const)
  test(`a connector is deleted whose transform ends ${ends}`, async () => {
    const name = `ends-${ends}`;
    await run(name, ends);
    const { status } = await node.request('DELETE', `/connectors/${name}`);
    assert.equal(status, 204);
    await until('both are closed', () => says(`${name}.t`) && says(`${name}.p`));
    const said = { well: /./, rejecting: /no end of ends-rejecting/, never: /did not return within 500 ms/ }[
      ends
    ];
    await until('it is said', () => said.test(node.output));
    await until('its thread is gone', async () => {
      const tree = await node.request('GET', '/supervisor/tree');
      return !JSON.stringify(tree.body).includes(`${name}/0`);
    });
  });

test('the transforms of a task that fails are closed, too', async () => {
  await run('fails', 'well', { 'errors.tolerance': 'none', 'value.converter': 'ByteArrayConverter' });
  appendFileSync(join(dir, 'fails.in'), 'a line\n');
  await until('both are closed', () => says('fails.t') && says('fails.p'));
  await until('it is FAILED', async () => {
    const { body } = await node.request('GET', '/connectors/fails/status');
    return /"state":"FAILED"/.test(JSON.stringify(body));
  });
});
