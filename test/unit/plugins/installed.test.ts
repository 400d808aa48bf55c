import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeModulesOf } from '#troupe/core/parameters/node-modules.js';
import { findPlugin } from '#troupe/plugins/catalog.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { InstalledPackages } from '#troupe/plugins/installed.js';
import { folder, PREDICATE, write, writePackage } from './packages.js';

function plugin(path: string, name: string, version = '1.0.0'): void {
  writePackage(path, [{ class: name, type: 'predicate', version, module: 'p.js' }], { 'p.js': PREDICATE });
}

/** Its time of change may be the same as before when both changes were within some milliseconds. */
function changed(path: string, second: number): void {
  utimesSync(path, second, second);
}

test('packages lie beside an installed Troupe, and in the node_modules of a checkout', () => {
  assert.equal(nodeModulesOf('/srv/app/node_modules/troupe'), '/srv/app/node_modules');
  assert.equal(nodeModulesOf('/home/me/troupe'), '/home/me/troupe/node_modules');
});

test('of what is installed only packages with a manifest are plugins, and what is broken is no concern', (t) => {
  const root = folder(t);
  plugin(join(root, 'zebra'), 'Z');
  plugin(join(root, '@acme', 'ant'), 'A');
  plugin(join(root, '.cache', 'old'), 'Old');
  plugin(join(root, 'zebra', 'node_modules', 'inner'), 'Inner');
  write(join(root, 'user', 'package.json'), '{"dependencies":{"troupe":"1"}}');
  write(join(root, 'garbage', 'package.json'), '{"troupe":');
  write(join(root, 'file'), '');
  const { folders, problems } = new InstalledPackages(root).read();
  assert.deepEqual(folders, [join(root, '@acme', 'ant'), join(root, 'zebra')]);
  assert.deepEqual(problems, []);
});

test('a package that is installed or removed later is noticed, also in a scope', (t) => {
  const root = folder(t);
  mkdirSync(join(root, '@acme'));
  const installed = new InstalledPackages(root);
  changed(root, 1);
  assert.deepEqual(installed.read().folders, []);
  plugin(join(root, 'one'), 'One');
  changed(root, 2);
  assert.deepEqual(installed.read().folders, [join(root, 'one')]);
  plugin(join(root, '@acme', 'two'), 'Two');
  changed(join(root, '@acme'), 3);
  assert.deepEqual(installed.read().folders, [join(root, '@acme', 'two'), join(root, 'one')]);
});

test('nothing that was changed is nothing to look through again', (t) => {
  const root = folder(t);
  plugin(join(root, 'one'), 'One');
  const installed = new InstalledPackages(root);
  assert.equal(installed.read(), installed.read());
});

test('a node_modules that is not there, or is switched off, has none', (t) => {
  const root = folder(t);
  assert.deepEqual(new InstalledPackages(null).read(), { folders: [], problems: [] });
  const { folders, problems } = new InstalledPackages(join(root, 'absent')).read();
  assert.deepEqual(folders, []);
  assert.match(problems[0]?.reason ?? '', /ENOENT/);
});

test('of one version in several places that of pluginPaths is used, then the first by name', (t) => {
  const root = folder(t);
  plugin(join(root, 'own', 'mine'), 'P');
  plugin(join(root, 'node_modules', 'a'), 'P');
  plugin(join(root, 'node_modules', 'b'), 'Q');
  plugin(join(root, 'node_modules', 'c'), 'Q');
  plugin(join(root, 'node_modules', 'd'), 'Q', '2.0.0');
  const { folders } = new InstalledPackages(join(root, 'node_modules')).read();
  const catalog = discoverPlugins([join(root, 'own'), ...folders]);
  assert.equal(findPlugin(catalog, 'predicate', 'P').location, join(root, 'own', 'mine'));
  assert.equal(findPlugin(catalog, 'predicate', 'Q', '1.0.0').location, join(root, 'node_modules', 'b'));
  assert.equal(findPlugin(catalog, 'predicate', 'Q').version, '2.0.0');
  assert.equal(catalog.problems.length, 2);
});

test('a package that pluginPaths names and npm has linked is one', (t) => {
  const root = folder(t);
  plugin(join(root, 'connectors', 'p'), 'P');
  mkdirSync(join(root, 'node_modules'));
  symlinkSync('../connectors/p', join(root, 'node_modules', 'p'));
  const { folders } = new InstalledPackages(join(root, 'node_modules')).read();
  const catalog = discoverPlugins([join(root, 'connectors'), ...folders]);
  assert.deepEqual(catalog.problems, []);
  assert.equal(findPlugin(catalog, 'predicate', 'P').location, join(root, 'connectors', 'p'));
});

test('an installed package takes no name of what comes with Troupe', (t) => {
  const root = folder(t);
  plugin(join(root, 'thief'), 'RecordIsTombstone', '99.0.0');
  const catalog = discoverPlugins(new InstalledPackages(root).read().folders);
  assert.equal(findPlugin(catalog, 'predicate', 'RecordIsTombstone').location, null);
  assert.match(catalog.problems[0]?.reason ?? '', /comes with Troupe: give it another name/);
});
