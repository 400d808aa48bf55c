import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { findPlugin, type CatalogEntry } from '#troupe/plugins/catalog.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { loadPlugin } from '#troupe/plugins/load.js';
import { compareVersions } from '#troupe/plugins/versions.js';
import { ConfigError } from '#troupe/sdk/errors.js';

const builtin = discoverPlugins([]);

test('every built-in is there and loads as what the list says', async () => {
  assert.deepEqual(builtin.problems, []);
  for (const entry of builtin.plugins) {
    assert.ok(existsSync(fileURLToPath(entry.module)), entry.class);
    const { type, plugin } = await loadPlugin(entry);
    assert.deepEqual([type, plugin.version], [entry.type, entry.version], entry.class);
    for (const key of plugin.config) assert.notEqual(key.documentation, '', `${entry.class} ${key.name}`);
  }
});

test('plugins answer to the names that upstream gives them', () => {
  const names: readonly (readonly [string, readonly string[]])[] = [
    [
      'FileSourceConnector',
      [
        'FileSource',
        'FileStreamSource',
        'FileStreamSourceConnector',
        'org.apache.kafka.connect.file.FileStreamSourceConnector',
        'org.apache.rocketmq.connect.file.FileSourceConnector',
      ],
    ],
    [
      'FileSinkConnector',
      ['FileSink', 'FileStreamSink', 'org.apache.kafka.connect.file.FileStreamSinkConnector'],
    ],
    [
      'JsonConverter',
      [
        'Json',
        ' org.apache.kafka.connect.json.JsonConverter ',
        'org.apache.rocketmq.connect.runtime.converter.record.json.JsonConverter',
      ],
    ],
    ['ByteArrayConverter', ['org.apache.kafka.connect.converters.ByteArrayConverter']],
    ['InsertField$Value', ['org.apache.kafka.connect.transforms.InsertField$Value']],
    ['RecordIsTombstone', ['org.apache.kafka.connect.transforms.predicates.RecordIsTombstone']],
  ];
  const types = ['source', 'sink', 'converter', 'transformation', 'predicate'] as const;
  for (const [name, others] of names) {
    for (const other of [name, ...others]) assert.equal(findPlugin(builtin, types, other).class, name, other);
  }
});

test('an unknown name is refused with the nearest and with what there is', () => {
  assert.throws(
    () => findPlugin(builtin, ['source', 'sink'], 'FileStreamSorce'),
    (error) =>
      error instanceof ConfigError &&
      error.code === 'PLUGIN_NOT_FOUND' &&
      error.message.includes('Did you mean FileStreamSource?') &&
      error.message.includes('FileSinkConnector, FileSourceConnector'),
  );
  assert.throws(
    () => findPlugin(builtin, 'sink', 'FileSourceConnector'),
    /PLUGIN_NOT_FOUND|there is no sink/,
  );
});

test('a class of Java that is not here is not likened to another', () => {
  for (const [types, name] of [
    [['transformation'], 'io.debezium.transforms.ByLogicalTableRouter'],
    [['transformation'], 'io.confluent.connect.transforms.Drop$Value'],
    [['converter'], 'io.confluent.connect.avro.AvroConverter'],
    [['converter'], 'com.example.converters.UuidConverter'],
    [['source', 'sink'], 'io.confluent.connect.jdbc.JdbcSinkConnector'],
  ] as const) {
    assert.throws(
      () => findPlugin(builtin, types, name),
      (error) =>
        error instanceof ConfigError &&
        error.message.includes('Classes of Java are not run here. Of this kind there is') &&
        !error.message.includes('Did you mean'),
      name,
    );
  }
  assert.throws(
    () => findPlugin(builtin, 'transformation', 'org.apache.kafka.connect.transforms.MaskFeild$Value'),
    /Did you mean MaskField\$Value\?/,
  );
  assert.throws(
    () => findPlugin(builtin, 'transformation', 'org.apache.kafka.connect.transforms.MaskField'),
    /Did you mean MaskField\$Key or MaskField\$Value\?/,
  );
});

test('a short name that two classes have must be written out', () => {
  const entry = (name: string): CatalogEntry => ({
    class: name,
    type: 'sink',
    version: '1.0.0',
    aliases: [],
    module: 'file:///x.js',
    exportName: 'default',
    location: '/x',
  });
  const catalog = { plugins: [entry('a.TableSinkConnector'), entry('b.TableSinkConnector')], problems: [] };
  assert.throws(
    () => findPlugin(catalog, 'sink', 'TableSink'),
    /any of a\.TableSinkConnector, b\.TableSinkConnector: use the full name/,
  );
  assert.equal(findPlugin(catalog, 'sink', 'b.TableSinkConnector').class, 'b.TableSinkConnector');
});

test('versions are ordered by number, pre-releases before their release', () => {
  const sorted = ['0.9', '1.0.0-alpha', '1.0.0-rc.2', '1.0.0-rc.10', '1.0.0', '1.2.0', '1.10.0', 'v2.0.0'];
  assert.deepEqual([...sorted].reverse().sort(compareVersions), sorted);
});
