import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError } from '#troupe/sdk/index.js';
import { buildTransformChain, configureTransforms } from '#troupe/plugins/transform-chain.js';
import { catalog, record } from './transforms.js';

const issuesOf = async (raw: Record<string, string>): Promise<readonly string[]> =>
  (await configureTransforms(raw, catalog)).issues.map((issue) => `${issue.field}: ${issue.reason}`);

test('transforms are applied in the order of their aliases, whichever names these have', async () => {
  const chain = await buildTransformChain(
    {
      transforms: ' a , ab ',
      'transforms.a.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
      'transforms.a.field': 'line',
      'transforms.ab.class': 'InsertField$Value',
      'transforms.ab.static.field': 'origin',
      'transforms.ab.static.value': 'x',
    },
    catalog,
  );
  assert.equal(chain.size, 2);
  assert.deepEqual(chain.apply(record(null, 'text'))?.value, { line: 'text', origin: 'x' });
});

test("a record that names no topic is given the connector's before it is transformed", async () => {
  const raw = {
    topic: 'orders',
    transforms: 'r',
    'transforms.r.type': 'RegexRouter',
    'transforms.r.regex': '(.*)',
    'transforms.r.replacement': '$1-2',
  };
  assert.equal(
    (await buildTransformChain(raw, catalog)).apply(record(null, 1, { topic: null }))?.topic,
    'orders-2',
  );
});

test('without transforms the record goes through untouched', async () => {
  const chain = await buildTransformChain({}, catalog);
  const one = record(null, 1, { topic: null });
  assert.equal(chain.apply(one), one);
});

test('everything that is wrong is told at once, by its key, and nothing is skipped', async () => {
  const raw = {
    transforms: 'a,b,c,d,e,f,a',
    'transforms.a.type': 'HoistField$Value',
    'transforms.c.type': 'NoSuchThing',
    'transforms.d.type': 'Filter',
    'transforms.d.predicate': 'q',
    'transforms.e.type': 'Filter',
    'transforms.e.negate': 'true',
    'transforms.f.type': 'RegexRouter',
    'transforms.f.regex': '(a',
    'transforms.f.replacement': 'x',
    predicates: 'p',
    'predicates.p.type': 'TopicNameMatches',
  };
  const expected = [
    /^predicates\.p\.pattern: is required/,
    /^transforms: the alias "a" stands twice/,
    /^transforms\.a\.field: is required/,
    /^transforms\.b\.type: is required/,
    /^transforms\.c\.type: there is no transformation "NoSuchThing"/,
    /^transforms\.d\.predicate: must be one of the aliases in "predicates", of which there is p/,
    /^transforms\.e\.negate: needs transforms\.e\.predicate/,
    /^transforms\.f\.regex: must be a regular expression/,
  ];
  const issues = await issuesOf(raw);
  assert.equal(issues.length, expected.length, issues.join('\n'));
  for (const [i, pattern] of expected.entries()) assert.match(issues[i] ?? '', pattern);
  await assert.rejects(buildTransformChain(raw, catalog), (error) => {
    assert.ok(error instanceof ConfigError);
    return error.message.split('\n').length === expected.length;
  });
});

test('what only making the transform can tell is told by its key as well', async () => {
  const transform = (type: string, options: Record<string, string>): Record<string, string> =>
    Object.fromEntries<string>([
      ['transforms', 't'],
      ['transforms.t.type', type],
      ...Object.entries(options).map(([key, value]): [string, string] => [`transforms.t.${key}`, value]),
    ]);
  const cases: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    ['InsertField$Value', {}, /^transforms\.t\.static\.field: nothing to insert/],
    [
      'InsertField$Value',
      { 'static.field': 'a' },
      /^transforms\.t\.static\.value: static\.field needs static\.value/,
    ],
    [
      'RegexRouter',
      { regex: '(o)', replacement: '$2' },
      /^transforms\.t\.replacement: the replacement cannot be used: it refers to \$2/,
    ],
    ['RegexRouter', { regex: 'a)(b', replacement: 'x' }, /^transforms\.t\.regex/],
    [
      'ExtractField$Value',
      { field: '`a.b', 'field.syntax.version': 'V2' },
      /^transforms\.t\.field: .* is not a path/,
    ],
    ['ReplaceField$Value', { renames: 'a' }, /^transforms\.t\.renames: must be pairs/],
    ['MaskField$Value', { fields: '' }, /^transforms\.t\.fields: must name at least one/],
    [
      'TimestampRouter',
      { 'timestamp.format': 'yyyyI' },
      /^transforms\.t\.timestamp\.format: "I" is nothing in a time format/,
    ],
    [
      'Filter',
      { 'plugin.version': '9.9.9' },
      /^transforms\.t\.plugin\.version: Filter has no version 9\.9\.9/,
    ],
  ];
  for (const [type, options, expected] of cases) {
    const issues = await issuesOf(transform(type, options));
    assert.equal(issues.length, 1, `${type}: ${issues.join('\n')}`);
    assert.match(issues[0] ?? '', expected);
  }
});
