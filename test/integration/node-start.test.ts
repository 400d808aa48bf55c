/** What somebody sees whose node cannot start: one line that says what to change, at once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { removeFolder, temporaryFolder } from '../support/node-process.js';

const MAIN = fileURLToPath(import.meta.resolve('#troupe/supervisor.js'));
const PACKAGE = fileURLToPath(new URL('../package.json', import.meta.resolve('#troupe/supervisor.js')));

function start(settings: Readonly<Record<string, string>>, nodeOptions: readonly string[] = []) {
  const args = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeOptions, MAIN, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

test('a port that is in use is one line, and nothing is started or left behind', async (t) => {
  const dir = temporaryFolder();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    removeFolder(dir);
  });
  const { port } = server.address() as AddressInfo;
  const store = join(dir, 'store');
  const { status, stdout, stderr } = start({ httpPort: String(port), storePathRootDir: store });
  assert.equal(status, 1);
  assert.match(stderr, /^HTTP_PORT_IN_USE: httpPort = \d+: .* set httpPort to a free one.*\n$/);
  assert.equal(stdout, '');
  assert.throws(() => readFileSync(join(store, 'node.lock')), { code: 'ENOENT' });
});

test('a path that cannot be used is named with its parameter', (t) => {
  const dir = temporaryFolder();
  t.after(() => removeFolder(dir));
  const file = join(dir, 'file');
  writeFileSync(file, '');
  const store = join(dir, 'store');
  mkdirSync(store);
  for (const [settings, expected] of [
    [{ storePathRootDir: file }, /^FOLDER_UNUSABLE: storePathRootDir = .*: a file stands there\n$/],
    [{ storePathRootDir: join(file, 'x') }, /^FOLDER_UNUSABLE: storePathRootDir = .*no folder\n$/],
    [
      { storePathRootDir: store, 'store.path': file },
      /^FOLDER_UNUSABLE: store\.path = .*: a file stands there\n$/,
    ],
    [
      { storePathRootDir: store, 'log.file': store },
      /^LOG_FILE_UNUSABLE: log\.file = .*: a folder stands there\n$/,
    ],
    [
      { storePathRootDir: store, httpHost: 'no-such-host.invalid' },
      /^HTTP_ADDRESS_REFUSED: httpHost = .*\n$/,
    ],
  ] as const) {
    const { status, stdout, stderr } = start({ httpPort: '0', ...settings });
    assert.match(stderr, expected);
    assert.equal(status, 1);
    assert.equal(stdout, '');
  }
});

test('a Node that is too old is told so before anything else', (t) => {
  const dir = temporaryFolder();
  t.after(() => removeFolder(dir));
  const preload = join(dir, 'old.cjs');
  writeFileSync(
    preload,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } });`,
  );
  const { status, stdout, stderr } = start({}, ['--require', preload]);
  const { engines } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { engines: { node: string } };
  assert.equal(
    stderr,
    `NODE_TOO_OLD: this is Node 18.20.8, and Troupe needs ${engines.node.replace('>=', '')} or newer\n`,
  );
  assert.equal(status, 2);
  assert.equal(stdout, '');
});
