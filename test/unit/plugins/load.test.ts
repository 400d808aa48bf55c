import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { findPlugin, type CatalogEntry } from '#troupe/plugins/catalog.js';
import { loadPlugin, loadPluginOf } from '#troupe/plugins/load.js';
import { buildTransformChain } from '#troupe/plugins/transform-chain.js';
import { ConnectError, DataError, RetriableError, sourceRecord } from '#troupe/sdk/index.js';
import { folder, PREDICATE, writePackage } from './packages.js';

function entryOf(t: TestContext, module: string, path = 'p.js'): CatalogEntry {
  const root = join(folder(t), 'p');
  writePackage(root, [{ class: 'P', type: 'predicate', version: '1.0.0', module: path }], { 'p.js': module });
  return findPlugin(discoverPlugins([root]), 'predicate', 'P');
}

test('a plugin is imported once a thread, from the default export or a named one', async (t) => {
  const entry = entryOf(t, PREDICATE);
  assert.equal(await loadPlugin(entry), await loadPlugin({ ...entry }));
  assert.equal((await loadPluginOf('predicate', entry)).create !== undefined, true);
  const named = entryOf(t, PREDICATE.replace('export default', 'export const Named ='), 'p.js#Named');
  assert.equal((await loadPlugin(named)).type, 'predicate');
  await assert.rejects(loadPluginOf('sink', entry), /it is a predicate, not a sink/);
});

test('a module that cannot be imported, or is no plugin, is refused with the reason', async (t) => {
  const plugin = (text: string): string => `export default { type: 'predicate', plugin: ${text} };`;
  const cases: readonly (readonly [string, RegExp])[] = [
    ['throw new Error("needs libfoo");', /needs libfoo/],
    ['syntax error here', /Unexpected identifier/],
    ['import "no-such-package-anywhere";', /no-such-package-anywhere/],
    ['export const x = 1;', /its default export must be \{ type, plugin \}/],
    ['export default null;', /must be \{ type, plugin \}/],
    [PREDICATE.replace("'predicate'", "'sink'"), /must have the type "predicate"/],
    [plugin('{ config: [], create: () => ({}) }'), /"version" must be a text/],
    [plugin("{ version: '1', config: [] }"), /no function "create"/],
    [plugin("{ version: '1', create() {} }"), /"config" must be an array/],
    [
      plugin("{ version: '1', create() {}, config: [{ name: 'a', type: 'TEXT' }] }"),
      /"a" must have a "type"/,
    ],
    [
      plugin(
        "{ version: '1', create() {}, config: [{ name: 'a', type: 'INT', documentation: '', defaultValue: 1 }] }",
      ),
      /default of the key "a"/,
    ],
  ];
  for (const [module, reason] of cases) {
    await assert.rejects(loadPlugin(entryOf(t, module)), (error) => {
      assert.ok(error instanceof ConnectError && error.code === 'PLUGIN_LOAD_FAILED', String(error));
      assert.match(error.message, reason);
      return true;
    });
  }
});

test("a transform's errors name it; those that ask for another try are passed on", async (t) => {
  const root = join(folder(t), 'p');
  writePackage(root, [{ class: 'Throws', type: 'transformation', version: '1.0.0', module: 'p.js' }], {
    'p.js': `export default { type: 'transformation', plugin: { version: '1', config: [],
      create: () => ({ apply(record) { throw record.value; } }) } };`,
  });
  const chain = await buildTransformChain(
    { transforms: 'x', 'transforms.x.type': 'Throws' },
    discoverPlugins([root]),
  );
  const thrown = (value: unknown): unknown => {
    try {
      return chain.apply(sourceRecord({ value, sourcePartition: {}, sourcePosition: {} }));
    } catch (error) {
      return error;
    }
  };
  const retriable = new RetriableError('busy');
  assert.equal(thrown(retriable), retriable);
  const bug = thrown(new TypeError('x is undefined'));
  assert.ok(bug instanceof DataError);
  assert.deepEqual([bug.code, bug.message], ['TRANSFORM_FAILED', 'transform x: x is undefined']);
  const bad = thrown(new DataError('no', { code: 'OWN' }));
  assert.ok(bad instanceof DataError && bad.code === 'OWN');
});
