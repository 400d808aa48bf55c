/**
 * The way of somebody who writes a connector without a checkout: types, build, acceptance suite and package by
 * `@troupe/sdk` alone, and a node of the packed Troupe that runs it. From npm's registry or its cache come the compiler and
 * Node's types.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { requireService } from '@troupe/test-support/require-service';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { copyOutside, install, pack, packSdk, packTroupe, run, unpackTroupe } from '../support/outside.js';
import { until } from '../support/wait.js';

const dir = temporaryFolder();
after(() => removeFolder(dir));
const connector = copyOutside('connector', dir);
const sdk = await packSdk(dir);
const skip = requireService(await install(connector, [sdk], ['typescript', '@types/node']));

test(
  'a connector is built, tested and packed with the SDK alone, and runs in an installed node',
  { skip },
  async (t) => {
    await t.test('nothing of the runtime is installed', () => {
      const installed = readdirSync(join(connector, 'node_modules')).filter((name) => !name.startsWith('.'));
      assert.deepEqual(installed.sort(), ['@troupe', '@types', 'typescript', 'undici-types']);
      assert.deepEqual(readdirSync(join(connector, 'node_modules/@troupe')), ['sdk']);
    });

    await t.test('its types find a mistake', async () => {
      const mistake = join(connector, 'src/mistake.ts');
      writeFileSync(mistake, `import { DataError } from '@troupe/sdk';\nnew DataError(5);\n`);
      await assert.rejects(run(connector, 'npm', 'run', 'build'), /src\/mistake\.ts\(2,15\): error TS2345/);
      rmSync(mistake);
    });

    await t.test('it is built', async () => {
      await run(connector, 'npm', 'run', 'build');
    });

    await t.test('it passes the acceptance suite', async () => {
      const tap = await run(
        connector,
        process.execPath,
        '--test',
        '--test-reporter=tap',
        'dist/test/accept.js',
      );
      assert.match(tap, /^# fail 0$/m);
      assert.ok(Number(/^# pass (\d+)$/m.exec(tap)?.[1]) >= 20, tap);
    });

    await t.test('a node of the packed Troupe finds it in pluginPaths and runs it', async (step) => {
      const [plugins, work] = [join(dir, 'plugins'), join(dir, 'work')];
      mkdirSync(plugins);
      mkdirSync(work);
      const packed = await pack(connector, dir);
      await run(plugins, 'npm', 'install', '--offline', '--prefix', plugins, packed, sdk);
      const main = await unpackTroupe(await packTroupe(dir), join(dir, 'app'));
      const node = await NodeProcess.create(work, { pluginPaths: join(plugins, 'node_modules') }, main);
      step.after(() => node.kill());
      await node.start();
      const { body } = await node.request('GET', '/connector-plugins');
      const listed = (body as { class: string }[]).filter((plugin) => plugin.class.startsWith('com.acme'));
      assert.deepEqual(listed, [{ class: 'com.acme.JsonLinesSink', type: 'sink', version: '1.2.3' }]);
      await moveLines(node);
    });
  },
);

async function moveLines(node: NodeProcess): Promise<void> {
  const [files, path] = [join(node.dir, 'in.txt'), join(node.dir, 'out.jsonl')];
  writeFileSync(files, 'first\nsecond\n');
  await node.run('read', { 'connector.class': 'FileSource', topic: 'lines', files });
  const often = { 'offset.flush.interval.ms': '50' };
  await node.run('write', { 'connector.class': 'JsonLinesSink', topics: 'lines', path, ...often });
  await until('both lines were written', () => contentOf(path)?.toString() === '"first"\n"second"\n');
}
