/** What somebody sees whose node cannot start: one line that says what to change, at once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
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

/** As a mistake of whoever started it. */
function refused(settings: Readonly<Record<string, string>>, expected: RegExp): void {
  const { status, stdout, stderr } = start({ httpPort: '0', ...settings });
  assert.match(stderr, expected);
  assert.equal(status, 2);
  assert.equal(stdout, '');
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
  const [link, circle] = [join(dir, 'link'), join(dir, 'circle')];
  symlinkSync('nowhere', link);
  symlinkSync(circle, circle);
  const store = join(dir, 'store');
  mkdirSync(store);
  for (const [settings, expected] of [
    [
      { storePathRootDir: link },
      /^FOLDER_UNUSABLE: storePathRootDir = .*link is a link that leads nowhere\n$/,
    ],
    [{ storePathRootDir: join(link, 'x') }, /^FOLDER_UNUSABLE: .*link is a link that leads nowhere\n$/],
    [{ storePathRootDir: join(circle, 'x') }, /^FOLDER_UNUSABLE: .*lead in a circle\n$/],
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
  ] as const)
    refused(settings, expected);
});

test(
  'a folder where none can be made is refused at once',
  { skip: process.platform !== 'linux' && 'needs /proc' },
  (t) => {
    const store = temporaryFolder();
    t.after(() => removeFolder(store));
    refused({ storePathRootDir: '/proc' }, /^FOLDER_UNUSABLE: .* = \/proc .*: nothing can be made there\n$/);
    for (const folder of ['/proc/x', '/proc/x/y', '/proc/self/x']) {
      refused({ storePathRootDir: folder }, /^FOLDER_UNUSABLE: storePathRootDir = .* in \/proc(\/self)?\n$/);
      refused({ storePathRootDir: store, 'store.path': folder }, /^FOLDER_UNUSABLE: store\.path = /);
      refused(
        { storePathRootDir: store, 'log.file': join(folder, 'log') },
        /^LOG_FILE_UNUSABLE: log\.file = /,
      );
    }
    refused({ storePathRootDir: '/sys/x' }, /^FOLDER_UNUSABLE: .* = \/sys\/x .*\n$/);
  },
);

test(
  'a folder that this user may not write to is refused, also where it would be made in one',
  { skip: process.getuid?.() === 0 && 'root may write everywhere' },
  (t) => {
    const dir = temporaryFolder();
    t.after(() => {
      chmodSync(dir, 0o700);
      removeFolder(dir);
    });
    chmodSync(dir, 0o500);
    for (const folder of [dir, join(dir, 'x'), join(dir, 'x/y')])
      refused({ storePathRootDir: folder }, /^FOLDER_UNUSABLE: storePathRootDir = .*: permission denied\n$/);
  },
);

test('a host that does not exist is one line', (t) => {
  const store = temporaryFolder();
  t.after(() => removeFolder(store));
  const { status, stderr } = start({ storePathRootDir: store, httpHost: 'no-such-host.invalid' });
  assert.match(stderr, /^HTTP_ADDRESS_REFUSED: httpHost = .*\n$/);
  assert.equal(status, 1);
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
