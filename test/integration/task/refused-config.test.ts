import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { readJournal } from '../../support/journal.js';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { pluginPackage } from '../../support/plugin-package.js';
import { until } from '../../support/wait.js';

interface Status {
  readonly config?: { readonly running: number; readonly refused: number; readonly reason: string };
  readonly tasks: readonly { readonly state: string }[];
}

test('a config that cannot connect leaves the tasks of the one before running, says so, and is taken once it can', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, {
    pluginPaths: pluginPackage(dir, {
      class: 'ConnectingSink',
      type: 'sink',
      module: './connecting-sink.js',
    }),
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const [input, journal, system] = [join(dir, 'in.txt'), join(dir, 'journal.txt'), join(dir, 'system')];
  writeFileSync(input, 'a\n');
  writeFileSync(system, '');
  const sink = { 'connector.class': 'ConnectingSink', topics: 'lines', journal };
  await node.run('in', { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' });
  await node.run('out', { ...sink, system });
  const acts = (what: string): number => readJournal(journal).filter((act) => act.what === what).length;
  const status = async (): Promise<Status> =>
    (await node.request('GET', '/connectors/out/status')).body as Status;
  await until('the first is there', () => acts('put') === 1);

  const other = join(dir, 'other');
  const { status: answered } = await node.request('PUT', '/connectors/out/config', {
    ...sink,
    system: other,
  });
  assert.equal(answered, 200);
  const { running, refused, reason } = await until('it says so', async () => (await status()).config);
  assert.ok(running < refused);
  assert.match(reason, /CONNECT_FAILED.*configuration system: is not there/);
  assert.deepEqual(
    (await status()).tasks.map(({ state }) => state),
    ['RUNNING'],
  );
  appendFileSync(input, 'b\n');
  await until('the one before goes on', () => acts('put') === 2);
  assert.deepEqual([acts('start'), acts('stop')], [1, 0]);

  writeFileSync(other, '');
  await until('it runs with the other', () => acts('start') === 2);
  await until('nothing is refused any more', async () => (await status()).config === undefined);
  appendFileSync(input, 'c\n');
  await until('the third is there', () => acts('put') === 3);
});
