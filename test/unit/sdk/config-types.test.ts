import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '#troupe/sdk/config-parse.js';
import {
  recommendedValues,
  under,
  type ConfigDefinition,
  type ConfigKey,
  type ConfigType,
} from '#troupe/sdk/config.js';
import { formatDuration, formatSize, parseDuration, parseSize } from '#troupe/sdk/config-units.js';
import { ConfigError } from '#troupe/sdk/errors.js';

function key(name: string, type: ConfigType, more: Partial<ConfigKey> = {}): ConfigKey {
  return { name, type, importance: 'HIGH', documentation: 'doc', ...more };
}

test('durations and sizes are read with and without a unit', () => {
  const durations = {
    '500': 500,
    '30 s': 30_000,
    '1.5h': 5_400_000,
    '1h 30min': 5_400_000,
    '2D': 172_800_000,
  };
  for (const [text, ms] of Object.entries(durations)) assert.equal(parseDuration(text), ms, text);
  const sizes = { '4096': 4096, '64 kB': 64_000, '1.5 GiB': 1_610_612_736, '3 b': 3 };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text), bytes, text);
});

test('what may mean several things, or nothing, is no duration and no size', () => {
  for (const text of [
    '',
    ' ',
    '-1',
    '1 week',
    '5m 3h',
    '1h 1h',
    '0.5',
    '.5s',
    '1e3',
    '10 20',
    '9007199254740993',
    's',
    '1  s',
  ])
    assert.equal(parseDuration(text), null, text);
  for (const text of ['1k', '1 g', '0.5 B', '1 constructor', '16777216 TiB'])
    assert.equal(parseSize(text), null, text);
});

test('a duration or size that is written out is read as the same', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      assert.equal(parseDuration(formatDuration(value)), value);
      assert.equal(parseSize(formatSize(value)), value);
    }),
  );
});

test('a duration and a size out of bounds are refused in the units that people write', () => {
  const definition = [
    key('wait', 'DURATION', { min: 100, max: 3_600_000, defaultValue: '5 s' }),
    key('piece', 'SIZE', { min: 1024 }),
  ];
  const { config, issues } = parseConfig(definition, { piece: '1 kB' });
  assert.equal(config.duration('wait'), 5000);
  assert.deepEqual(issues, [
    {
      field: 'piece',
      value: '1 kB',
      reason: 'must be a size such as 4096 (bytes), 64 kB or 16 MiB, at least 1 KiB',
    },
  ]);
  assert.match(
    parseConfig(definition, { wait: '2 h', piece: '2KiB' }).issues[0]?.reason ?? '',
    /at least 100 ms and at most 1 h$/,
  );
});

test('the entries of a map are found by its prefix, and by its aliases', () => {
  const definition = [
    key('headers', 'MAP', { defaultValue: null, aliases: ['http.headers'] }),
    key('auth', 'MAP', { defaultValue: null, entries: 'PASSWORD' }),
    key('none', 'MAP', { defaultValue: null }),
  ];
  const { config, issues } = parseConfig(definition, {
    'headers.a': ' 1 ',
    'headers.b.c': '2',
    'http.headers.d': '3',
    'headers.': 'no name',
    headers: 'no entry',
    'auth.token': ' keeps blanks ',
  });
  assert.deepEqual(issues, []);
  assert.deepEqual(
    [...config.map('headers')],
    [
      ['a', '1'],
      ['b.c', '2'],
      ['d', '3'],
    ],
  );
  assert.equal(config.secrets('auth').get('token')?.reveal(), ' keeps blanks ');
  assert.equal(config.has('none'), false);
  assert.equal(config.map('none').size, 0);
  assert.throws(() => config.map('auth'), /is a MAP of passwords, not a MAP of texts/);
});

test('a map without entries that needs some is missing, and a bad entry is named by its own key', () => {
  const definition = [key('columns', 'MAP', { allowed: ['text', 'number'] })];
  assert.deepEqual(
    parseConfig(definition, {}).issues.map(({ field }) => field),
    ['columns'],
  );
  assert.deepEqual(parseConfig(definition, { 'columns.id': 'numbr' }).issues, [
    { field: 'columns.id', value: 'numbr', reason: 'must be one of: text, number' },
  ]);
});

test('a key that means nothing beside what is given need not be given', () => {
  const definition: ConfigDefinition = [
    key('mode', 'STRING', { allowed: ['bulk', 'incrementing'] }),
    key('column', 'STRING', {
      visible: (config) => config.stringOrNull('mode') === 'incrementing',
    }),
    key('odd', 'STRING', {
      visible: () => {
        throw new Error('of the plugin');
      },
    }),
  ];
  const missing = (mode: string): string[] =>
    parseConfig(definition, { mode }).issues.map(({ field }) => field);
  assert.deepEqual(missing('bulk'), ['odd'], 'one that fails hides nothing');
  assert.deepEqual(missing('incrementing'), ['column', 'odd']);
});

test('a part of a definition is read by its own names, and its rules see only itself', () => {
  const connection: ConfigDefinition = [
    key('user', 'STRING'),
    key('tables', 'LIST', {
      defaultValue: '',
      recommend: (config) => [`${config.string('user')}.orders`],
      visible: (config) => config.has('user'),
    }),
  ];
  const definition = [...under('source.', connection), ...under('target.', connection)];
  const { config, issues } = parseConfig(definition, { 'source.user': 'ann', 'target.user': 'bob' });
  assert.deepEqual(issues, []);
  assert.equal(config.under('target.').string('user'), 'bob');
  assert.deepEqual(
    definition.filter(({ name }) => name.endsWith('.tables')).map((each) => recommendedValues(each, config)),
    [['ann.orders'], ['bob.orders']],
  );
  assert.throws(
    () => config.under('source.').string('password'),
    (error) => error instanceof ConfigError && error.field === 'source.password',
  );
});
