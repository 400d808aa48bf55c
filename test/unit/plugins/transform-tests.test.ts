import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { connectorFilesOf, parseTransformTestFile } from '#troupe/plugins/transform-test-files.js';
import {
  parseTransformTests,
  runTransformTests,
  type TransformTestReport,
} from '#troupe/plugins/transform-tests.js';
import { parseJson } from '#troupe/sdk/index.js';

const catalog = discoverPlugins([]);
const run = (config: Record<string, string>, tests: string): Promise<TransformTestReport> =>
  runTransformTests(config, parseTransformTests(parseJson(tests)), catalog);

const CAST = { transforms: 't', 'transforms.t.type': 'Cast$Value', 'transforms.t.spec': 'id:int32' };

test('a test passes where each thing that it says of the record is so', async () => {
  const report = await run(
    CAST,
    `[{"name": "cast", "in": {"topic": "a", "value": {"id": "42", "n": 12345678901234567890}},
       "out": {"value": {"id": 42, "n": 12345678901234567890}}},
      {"in": {"value": {"id": "42"}}, "out": {"topic": "b", "value": {"id": 43, "more": 1}}},
      {"in": {"value": {"id": "42"}}},
      {"in": {"value": {"id": "x"}}, "out": {"error": "x"}},
      {"in": {"value": {"id": "x"}}, "out": {"value": {}}},
      {"in": {"value": {"id": "1"}}, "out": {"error": "x"}},
      {"in": {"value": {"id": "1"}}, "out": null}]`,
  );
  assert.deepEqual(
    report.tests.map(({ passed }) => passed),
    [true, false, false, true, false, false, false],
  );
  assert.deepEqual([report.passed, report.failed], [2, 5]);
  assert.deepEqual(report.tests[1]?.differences, [
    { path: 'out.topic', expected: '"b"', actual: 'null' },
    { path: 'out.value.id', expected: '43', actual: '42' },
    { path: 'out.value.more', expected: '1', actual: 'nothing' },
  ]);
  assert.match(report.tests[0]?.out ?? '', /"n":12345678901234567890/);
});

test('a number is told from one that differs beyond what a double holds', async () => {
  const report = await run(
    CAST,
    '[{"in": {"value": {"id": 1, "n": 9007199254740993}}, "out": {"value": {"id": 1, "n": 9007199254740992}}}]',
  );
  assert.equal(report.failed, 1);
});

test('records may have schemas, which may be expected as well', async () => {
  const schema =
    '{"type": "struct", "fields": [{"field": "id", "type": "string"}, {"field": "at", "type": "int64", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1}]}';
  const after = schema.replace('"type": "string"', '"type": "int32"');
  const full = (text: string): string =>
    text.replaceAll(/"type": "(string|int32|int64|struct)"/g, '"type": "$1", "optional": false');
  const tests = `[{"in": {"valueSchema": ${schema}, "value": {"id": "7", "at": 5}}, "out": {"value": {"id": 7, "at": 5}, "valueSchema": ${full(after)}, "keySchema": null}}]`;
  const report = await run(CAST, tests);
  assert.deepEqual(report.tests[0]?.differences, []);
  await assert.rejects(
    run(CAST, '[{"in": {"valueSchema": {"type": "int32"}, "value": "x"}, "out": null}]'),
    /tests\[0\]\.in\[0\]\.value does not fit its schema/,
  );
});

test('records of one test go through one chain, one after the other, and each test begins anew', async () => {
  const once = { transforms: 't', 'transforms.t.type': 'Dedupe' };
  const three = '[{"key": 1, "offset": 1}, {"key": 1, "offset": 2}, {"key": 2, "offset": 3}]';
  const report = await run(
    once,
    `[{"in": ${three}, "out": [{"key": 1}, null, {}]}, {"in": {"key": 1, "offset": 9}, "out": {"key": 1}}]`,
  );
  assert.deepEqual(
    report.tests.flatMap(({ differences }) => differences),
    [],
  );
  assert.equal(report.passed, 2);
});

test('what is no test says where it is wrong, and a chain that cannot be made says why', async () => {
  for (const [tests, words] of [
    ['{}', /tests must be a list/],
    ['[]', /tests must be a list/],
    ['[{"out": null}]', /tests\[0\]\.in is required/],
    ['[{"in": {}, "expect": 1}]', /tests\[0\]\.expect is unknown/],
    ['[{"in": [{}, {}], "out": [null]}]', /tests\[0\]\.out must say for each/],
    ['[{"in": {}, "out": {"vaule": 1}}]', /tests\[0\]\.out\.vaule is unknown/],
    ['[{"in": {"timestamp": "x"}, "out": null}]', /timestamp must be a whole number/],
    ['[{"in": {"headers": [1]}, "out": null}]', /headers must be/],
    ['[{"in": 5, "out": null}]', /must be a record/],
  ] as const)
    await assert.rejects(async () => run(CAST, tests), words, tests);
  await assert.rejects(
    run({ ...CAST, 'transforms.t.spec': 'id:int33' }, '[{"in": {}, "out": null}]'),
    /transforms\.t\.spec/,
  );
});

test('the configuration stands in the file of the tests, or in that of the connector beside it', () => {
  assert.deepEqual(connectorFilesOf('a/orders.test.json'), ['a/orders.json', 'a/orders.properties']);
  const tests = '[{"in": {}, "out": {}}]';
  const own = parseTransformTestFile(
    `{"config": {"transforms": "", "tasks.max": 2}, "tests": ${tests}}`,
    null,
  );
  assert.deepEqual(own.config, { transforms: '', 'tasks.max': '2' });
  const properties = { file: 'orders.properties', content: 'name=orders\nconnector.class=X\ntransforms=a' };
  assert.equal(parseTransformTestFile(tests, properties).config['transforms'], 'a');
  assert.throws(() => parseTransformTestFile(tests, null), /beside it/);
});
