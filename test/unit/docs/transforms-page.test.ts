import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { builtinPlugins } from '#troupe/plugins/builtin.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import { buildTransformChain } from '#troupe/plugins/transform-chain.js';
import { parseTransformTests, runTransformTests } from '#troupe/plugins/transform-tests.js';
import { fieldOf, isFields, parseJson, sourceRecord, type Fields } from '#troupe/sdk/index.js';

const page = readFileSync(
  new URL('../docs/transforms.md', import.meta.resolve('#troupe/supervisor.js')),
  'utf8',
);
const catalog = discoverPlugins([
  fileURLToPath(new URL('../connectors', import.meta.resolve('#troupe/supervisor.js'))),
]);

function fields(value: unknown): Fields {
  assert.ok(isFields(value));
  return value;
}

async function outcome(example: Fields): Promise<unknown> {
  const config = Object.fromEntries(
    Object.entries(fields(example['config'])).map(([key, value]) => [key, String(value)]),
  );
  const given = fields(example['in']);
  const chain = await buildTransformChain(config, catalog);
  const topic = fieldOf(given, 'topic');
  const out = chain.apply(
    sourceRecord({
      sourcePartition: {},
      sourcePosition: {},
      topic: typeof topic === 'string' ? topic : null,
      key: given['key'],
      value: given['value'],
      timestamp: Number(given['timestamp'] ?? 0),
      headers: Object.entries(fields(given['headers'] ?? {})).map(([key, value]) => ({
        key,
        schema: null,
        value,
      })),
    }),
  );
  if (out === null) return null;
  const headers = Object.fromEntries(out.headers.map(({ key, value }) => [key, value]));
  return { topic: out.topic, key: out.key, value: out.value, headers };
}

test('each example of the page of transforms gives what it says', async () => {
  const examples = [...page.matchAll(/```json transform\n(.*?)```/gs)].map(([, text = '']) => text);
  assert.ok(examples.length > 8);
  for (const text of examples) {
    const example = fields(JSON.parse(text));
    const expected =
      example['out'] === null ? null : { topic: null, key: null, headers: {}, ...fields(example['out']) };
    assert.deepEqual(await outcome(example), expected, text);
  }
});

test('the tests of a chain that the page shows pass', async () => {
  const [, text = ''] = /## Tests of a chain.*?```json\n(.*?)```/s.exec(page) ?? [];
  const config = {
    transforms: 'mask,drop',
    'transforms.mask.type': 'MaskField$Value',
    'transforms.mask.fields': 'card',
    'transforms.drop.type': 'Filter',
    'transforms.drop.predicate': 'debug',
    predicates: 'debug',
    'predicates.debug.type': 'HasHeaderKey',
    'predicates.debug.name': 'debug',
  };
  const { tests } = await runTransformTests(config, parseTransformTests(parseJson(text)), catalog);
  assert.equal(tests.length, 4);
  assert.deepEqual(
    tests.flatMap(({ differences }) => differences),
    [],
  );
});

test('the answer to the tests of the page is the one that it shows', async () => {
  const [, body = '', answer = ''] =
    /transforms\/test .*? -d '(.*?)'\n```\n\n```json\n(.*?)```/s.exec(page) ?? [];
  const sent = fields(JSON.parse(body));
  const config = fields(sent['config']) as Record<string, string>;
  const report = await runTransformTests(config, parseTransformTests(sent['tests']), catalog);
  const shown = report.tests.map((each) => ({ ...each, out: JSON.parse(each.out) as unknown }));
  assert.deepEqual({ ...report, tests: shown }, JSON.parse(answer));
});

test('every transform and predicate that comes with Troupe is on the page', () => {
  const own = builtinPlugins().filter(({ type }) => type === 'transformation' || type === 'predicate');
  const missing = own
    .map(({ class: name }) => name.replace(/\$.*/, ''))
    .filter((name) => !page.includes(`**${name}**`));
  assert.deepEqual(missing, []);
});
