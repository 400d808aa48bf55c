import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileRules, type FileRules } from '#troupe/core/parameters/file-rules.js';
import { loadParameters } from '#troupe/core/parameters/parameters.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { fileAccess } from '#troupe/plugins/file-access.js';
import { PREDICATE, folder, writePackage } from './packages.js';

/** A node that has its folders in `dir`. */
function rulesOf(dir: string, more: Readonly<Record<string, string>> = {}): FileRules {
  const set = { storePathRootDir: 'store', pluginPaths: 'plugins', connectorsDir: 'connectors', ...more };
  const loaded = loadParameters({
    argv: Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
    env: {},
    readFile: () => '',
    cwd: dir,
  });
  assert.ok(loaded.ok && loaded.action === 'run');
  return fileRules(loaded.parameters, {
    folder: join(dir, 'app', 'dist'),
    configFile: join(dir, 'connect.conf'),
  });
}

function accessIn(t: TestContext, more: Readonly<Record<string, string>> = {}) {
  const dir = folder(t);
  const rules = rulesOf(dir, more);
  for (const name of ['plugins', 'store', 'data']) mkdirSync(join(dir, name));
  const access = fileAccess(rules, discoverPlugins([join(dir, 'plugins')]));
  return { dir, check: (...path: string[]) => access.check(join(dir, ...path), 'file') };
}

const refused = { name: 'ConfigError', code: 'FILE_NOT_ALLOWED', field: 'file' };

test('connectors may open files anywhere but where the node has its own', async (t) => {
  const { dir, check } = accessIn(t, { 'config.providers.file.paths': 'secrets', 'store.path': 'log' });
  for (const path of ['out.txt', 'data/deep/out.txt', 'plugins.txt', 'store2/x', '..storage/x'])
    await check(path);
  for (const path of [
    'plugins/evil/index.js',
    'store/position.json',
    'log/data.mdb',
    'connectors/new.json',
    'secrets/db.properties',
    'app/dist/supervisor.js',
    'app/node_modules/koa/index.js',
    'connect.conf',
    'data/../plugins/evil/index.js',
  ]) {
    await assert.rejects(check(path), refused, path);
  }
  if (process.platform === 'linux') {
    const access = fileAccess(rulesOf(dir), discoverPlugins([]));
    await assert.rejects(access.check('/proc/self/environ', 'file'), refused);
  }
});

test('symbolic links do not lead into a folder that is closed, also not ones to what does not exist yet', async (t) => {
  const { dir, check } = accessIn(t);
  symlinkSync(join(dir, 'plugins'), join(dir, 'data', 'link'));
  symlinkSync('../plugins/new.js', join(dir, 'data', 'dangling.js'));
  symlinkSync('dangling.js', join(dir, 'data', 'twice.js'));
  for (const path of ['data/link/evil/index.js', 'data/dangling.js', 'data/twice.js'])
    await assert.rejects(check(path), refused, path);
});

test('a closed folder that is a link is closed where it leads to, too', async (t) => {
  const { dir, check } = accessIn(t);
  mkdirSync(join(dir, 'elsewhere'));
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'connectors'));
  await assert.rejects(check('elsewhere', 'new.json'), refused);
});

test('a plugin package that is a link to a folder elsewhere is closed there', async (t) => {
  const dir = folder(t);
  const plugins = [{ class: 'P', type: 'predicate', module: 'index.js' }];
  writePackage(join(dir, 'work', 'p'), plugins, { 'index.js': PREDICATE });
  mkdirSync(join(dir, 'plugins'));
  symlinkSync(join(dir, 'work', 'p'), join(dir, 'plugins', 'p'));
  const access = fileAccess(rulesOf(dir), discoverPlugins([join(dir, 'plugins')]));
  await assert.rejects(access.check(join(dir, 'work', 'p', 'index.js'), 'file'), refused);
  await access.check(join(dir, 'work', 'out.txt'), 'file');
});

test('with folders that are allowed nothing else is, and closed ones stay closed', async (t) => {
  const { dir, check } = accessIn(t, { 'connector.file.paths': 'data,plugins' });
  await check('data/out.txt');
  symlinkSync(dir, join(dir, 'data', 'up'));
  for (const path of ['out.txt', 'data2/out.txt', 'data/../out.txt', 'data/up/out.txt', 'plugins/p/index.js'])
    await assert.rejects(check(path), refused, path);
  await assert.rejects(
    check('out.txt'),
    /take a file below .*data.* or add its folder to connector\.file\.paths/,
  );
});

test('what lies below a file is nothing that exists, so nothing that is refused', async (t) => {
  const { dir, check } = accessIn(t);
  writeFileSync(join(dir, 'data', 'file'), '');
  await check('data/file/out.txt');
});
