import assert from 'node:assert/strict';
import { chmodSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';

/** Everything below the folder, and it: what others may do with it. */
function modes(folder: string): Map<string, number> {
  const names = readdirSync(folder, { recursive: true }).map(String);
  return new Map(['.', ...names].map((name) => [name, statSync(join(folder, name)).mode & 0o077]));
}

function open(folder: string): string[] {
  return [...modes(folder)].filter(([, mode]) => mode !== 0).map(([name]) => name);
}

test('nobody else may read what a node keeps, and what an older release left open is closed', async (t) => {
  if (process.platform === 'win32') return t.skip('there are no modes');
  const dir = temporaryFolder();
  writeFileSync(join(dir, 'in.txt'), 'x\n');
  const node = await NodeProcess.create(dir, {
    configPersistInterval: '100',
    positionPersistInterval: '100',
  });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  const store = join(dir, 'store');
  await node.start();
  await node.run('in', {
    'connector.class': 'FileSourceConnector',
    file: join(dir, 'in.txt'),
    topic: 'lines',
  });
  await node.stop();
  const names = [...modes(store).keys()];
  for (const name of [
    'connectorConfig.json',
    'taskConfig.json',
    'position.json',
    'log/data.mdb',
    'log/data.mdb-lock',
  ])
    assert.ok(names.includes(name), `${name} in ${names.join()}`);
  assert.deepEqual(open(store), []);

  const loose = ['connectorConfig.json', 'log/data.mdb', 'log/data.mdb-lock', 'log/format'];
  for (const name of loose) chmodSync(join(store, name), 0o664);
  writeFileSync(join(store, 'connectorConfig.json.tmp'), 'left by a crash', { mode: 0o644 });
  chmodSync(join(store, 'log'), 0o755);
  const elsewhere = join(dir, 'of-the-user');
  writeFileSync(elsewhere, '', { mode: 0o644 });
  symlinkSync(elsewhere, join(store, 'position.json.broken-link'));
  await node.start();
  assert.match(node.output, /other users of this machine could read files of this node/);
  for (const name of loose) assert.match(node.output, new RegExp(name));
  assert.deepEqual(open(store), ['position.json.broken-link'], 'what a link leads to is left alone');
  await node.stop();
  assert.deepEqual(open(store), ['position.json.broken-link']);
  await node.start();
  assert.doesNotMatch(node.output, /other users of this machine/, 'it is said once');
});
