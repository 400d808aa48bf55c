import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { findPlugin } from '#troupe/plugins/catalog.js';
import { folder, PREDICATE, write, writePackage } from './packages.js';

test('packages are found alone, in a folder, and in scopes, without running their code', (t) => {
  const root = folder(t);
  const entry = (name: string): unknown => [{ class: name, type: 'predicate', module: 'dist/p.js' }];
  const fails = { 'dist/p.js': 'throw new Error("must not run");' };
  writePackage(join(root, 'many', 'one'), entry('One'), fails);
  writePackage(join(root, 'many', '@acme', 'two'), entry('Two'), fails);
  writePackage(join(root, 'alone'), entry('Three'), fails);
  write(join(root, 'many', 'README.md'), 'not a package');
  write(join(root, 'many', 'other', 'package.json'), '{"name":"without plugins"}');
  const catalog = discoverPlugins([join(root, 'many'), join(root, 'alone')]);
  assert.deepEqual(catalog.problems, []);
  for (const name of ['One', 'Two', 'Three'])
    assert.equal(findPlugin(catalog, 'predicate', name).version, '3.2.1');
});

test('what is broken is reported with its place and reason, and the rest is offered', (t) => {
  const root = folder(t);
  const good = { class: 'Good', type: 'predicate', version: '1.0.0', module: 'p.js' };
  writePackage(
    join(root, 'mixed'),
    [
      good,
      { ...good, class: 'Missing', module: 'gone.js' },
      { ...good, class: 'Escapes', module: '../outside/p.js' },
      { ...good, class: 'Type', type: 'thing' },
      { ...good, class: 'Alias', aliases: ['fine', 5] },
      { ...good, class: 'bad name' },
      'text',
    ],
    { 'p.js': PREDICATE },
  );
  write(join(root, 'outside', 'p.js'), PREDICATE);
  write(join(root, 'garbage', 'package.json'), '{"troupe":');
  write(join(root, 'shape', 'package.json'), '{"troupe":{"plugins":{}}}');
  mkdirSync(join(root, 'empty'));
  const paths = [
    join(root, 'mixed'),
    join(root, 'garbage'),
    join(root, 'shape'),
    join(root, 'empty'),
    join(root, 'absent'),
  ];
  const catalog = discoverPlugins(paths);
  assert.equal(findPlugin(catalog, 'predicate', 'Good').location, join(root, 'mixed'));
  const reasons = catalog.problems.map(({ path, reason }) => `${path.slice(root.length + 1)}: ${reason}`);
  const expected = [
    /^mixed\/package\.json: plugins\[1\] \(Missing\): its module gone\.js is not there/,
    /^mixed\/package\.json: plugins\[2\] \(Escapes\): "module" must be a path inside the package/,
    /^mixed\/package\.json: plugins\[3\] \(Type\): "type" must be one of source, sink/,
    /^mixed\/package\.json: plugins\[4\] \(Alias\): each of the "aliases"/,
    /^mixed\/package\.json: plugins\[5\] \(bad name\): "class" must be a class name/,
    /^mixed\/package\.json: plugins\[6\]: it must be an object/,
    /^garbage\/package\.json: /,
    /^shape\/package\.json: "troupe" must hold an array "plugins"/,
    /^empty: there is no package with "troupe"/,
    /^absent: ENOENT/,
  ];
  assert.equal(reasons.length, expected.length, reasons.join('\n'));
  for (const [i, pattern] of expected.entries()) assert.match(reasons[i] ?? '', pattern);
});

test('an entry of a folder that cannot be looked at does not hide the packages beside it', (t) => {
  const root = folder(t);
  writePackage(join(root, 'p'), [{ class: 'P', type: 'predicate', module: 'p.js' }], { 'p.js': PREDICATE });
  symlinkSync('loop', join(root, 'loop'));
  const catalog = discoverPlugins([root]);
  assert.equal(findPlugin(catalog, 'predicate', 'P').location, join(root, 'p'));
  assert.deepEqual(
    catalog.problems.map(({ path }) => path),
    [join(root, 'loop')],
  );
  assert.match(catalog.problems[0]?.reason ?? '', /ELOOP/);
});

test('a link cannot lead a module out of its package', (t) => {
  const root = folder(t);
  write(join(root, 'outside.js'), PREDICATE);
  writePackage(join(root, 'p'), [{ class: 'L', type: 'predicate', module: 'link.js' }]);
  symlinkSync(join(root, 'outside.js'), join(root, 'p', 'link.js'));
  const catalog = discoverPlugins([join(root, 'p')]);
  assert.match(catalog.problems[0]?.reason ?? '', /inside the package/);
});

test('several versions stand side by side; the same one twice is reported, and the first is used', (t) => {
  const root = folder(t);
  const version = (dir: string, text: string): void => {
    writePackage(join(root, dir), [{ class: 'P', type: 'predicate', version: text, module: 'p.js' }], {
      'p.js': PREDICATE,
    });
  };
  version('a', '1.9.0');
  version('b', '1.10.0');
  version('c', '1.10.0');
  version('d', '2.0.0-rc.1');
  const catalog = discoverPlugins([root]);
  assert.equal(findPlugin(catalog, 'predicate', 'P').version, '2.0.0-rc.1');
  assert.equal(findPlugin(catalog, 'predicate', 'P', '1.10.0').location, join(root, 'b'));
  assert.throws(
    () => findPlugin(catalog, 'predicate', 'P', '3.0.0'),
    /has no version 3\.0\.0: there is 1\.9\.0, 1\.10\.0, 2\.0\.0-rc\.1/,
  );
  assert.deepEqual(
    catalog.problems.map(({ path }) => path),
    [join(root, 'c')],
  );
});

test('a catalog can be sent to another thread', () => {
  const catalog = discoverPlugins([]);
  assert.deepEqual(structuredClone(catalog), catalog);
});

test('a package that takes the name of what comes with Troupe is refused, whatever its version', (t) => {
  const root = folder(t);
  const named = (name: string, type: string): unknown => ({
    class: name,
    type,
    version: '99.0.0',
    module: 'p.js',
  });
  writePackage(
    join(root, 'taking'),
    [
      named('FileSourceConnector', 'source'),
      named('FileSinkConnector', 'source'),
      named('org.apache.kafka.connect.json.JsonConverter', 'converter'),
      { ...(named('Mine', 'predicate') as object), aliases: ['RecordIsTombstone'] },
      // What configurations may call it in short.
      named('FileSink', 'sink'),
      named('Json', 'converter'),
      named('FileStreamSource', 'source'),
    ],
    { 'p.js': PREDICATE },
  );
  const catalog = discoverPlugins([root]);
  assert.equal(catalog.problems.length, 7);
  for (const { reason } of catalog.problems) assert.match(reason, /comes with Troupe: give it another name/);
  assert.equal(findPlugin(catalog, ['source', 'sink'], 'FileSourceConnector').location, null);
});
