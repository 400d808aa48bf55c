import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { parseConfig, parseConfigOrThrow, issueMessage } from '#troupe/sdk/config-parse.js';
import { ConfigError } from '#troupe/sdk/errors.js';
import type { ConfigDefinition, ConfigKey, ConfigType } from '#troupe/sdk/config.js';

function key(name: string, type: ConfigType, more: Partial<ConfigKey> = {}): ConfigKey {
  return { name, type, importance: 'HIGH', documentation: 'doc', ...more };
}

test('values of every type are read as a user writes them', () => {
  const definition: ConfigDefinition = [
    key('flag', 'BOOLEAN'),
    key('text', 'STRING'),
    key('count', 'INT'),
    key('long', 'LONG'),
    key('share', 'DOUBLE'),
    key('items', 'LIST'),
    key('none', 'LIST'),
    key('class', 'CLASS'),
    key('pass', 'PASSWORD'),
  ];
  const { config, issues } = parseConfig(definition, {
    flag: ' TRUE ',
    text: '  spaced out ',
    count: '+12',
    long: '-9007199254740991',
    share: '1.5e3',
    items: ' a , b,c ',
    none: ' ',
    class: 'acme.Thing',
    pass: ' keeps blanks ',
  });
  assert.deepEqual(issues, []);
  assert.equal(config.boolean('flag'), true);
  assert.equal(config.string('text'), 'spaced out');
  assert.equal(config.int('count'), 12);
  assert.equal(config.int('long'), -9007199254740991);
  assert.equal(config.double('share'), 1500);
  assert.deepEqual(config.list('items'), ['a', 'b', 'c']);
  assert.deepEqual(config.list('none'), []);
  assert.equal(config.string('class'), 'acme.Thing');
  assert.equal(config.secret('pass').reveal(), ' keeps blanks ');
});

test('all issues come at once, each with its field, value and what is allowed', () => {
  const definition: ConfigDefinition = [
    key('needed', 'STRING'),
    key('flag', 'BOOLEAN'),
    key('count', 'INT', { min: 1, max: 10 }),
    key('big', 'INT'),
    key('long', 'LONG'),
    key('share', 'DOUBLE', { min: 0 }),
    key('mode', 'STRING', { allowed: ['a', 'b'] }),
    key('modes', 'LIST', { allowed: ['a', 'b'] }),
    key('own', 'STRING', { validator: (value) => (value === 'good' ? null : 'must be good') }),
    key('fine', 'STRING', { defaultValue: 'x' }),
  ];
  const { issues } = parseConfig(definition, {
    flag: 'yes',
    count: '11',
    big: '2147483648',
    long: '9223372036854775808',
    share: '0x10',
    mode: 'c',
    modes: 'a,c',
    own: 'bad',
  });
  assert.deepEqual(
    issues.map((issue) => [issue.field, issue.value, issue.reason]),
    [
      ['needed', null, 'is required and has no default'],
      ['flag', 'yes', 'must be true or false'],
      ['count', '11', 'must be a whole number from 1 to 10'],
      ['big', '2147483648', 'must be a whole number from -2147483648 to 2147483647'],
      [
        'long',
        '9223372036854775808',
        'must be a whole number from -9223372036854775808 to 9223372036854775807',
      ],
      ['share', '0x10', 'must be a number of at least 0'],
      ['mode', 'c', 'must be one of: a, b'],
      ['modes', 'a,c', 'must be one of: a, b'],
      ['own', 'bad', 'must be good'],
    ],
  );
});

test('a password is in no issue, no message and no output', () => {
  const definition = [key('pass', 'PASSWORD', { validator: () => 'is too weak' }), key('ok', 'PASSWORD')];
  const raw = { pass: 'hunter2', ok: 'swordfish' };
  const { config, issues } = parseConfig(definition, raw);
  const secret = config.secret('ok');
  const outputs = [
    JSON.stringify(issues),
    issues.map(issueMessage).join(),
    String(secret),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect(config, { depth: 9, showHidden: true }),
  ].join('\n');
  assert.doesNotMatch(outputs, /hunter2|swordfish/);
  assert.equal(secret.reveal(), 'swordfish');
  assert.throws(
    () => parseConfigOrThrow(definition, raw),
    (error) => error instanceof ConfigError && error.field === 'pass' && !error.message.includes('hunter2'),
  );
});

test('an alias is read where the name is not given, and named in the issue', () => {
  const definition = [key('tasks.max', 'INT', { aliases: ['max.tasks'], defaultValue: '1' })];
  assert.equal(parseConfig(definition, { 'max.tasks': '3' }).config.int('tasks.max'), 3);
  assert.equal(parseConfig(definition, { 'max.tasks': '3', 'tasks.max': '4' }).config.int('tasks.max'), 4);
  const [issue] = parseConfig(definition, { 'max.tasks': 'x' }).issues;
  assert.equal(issue?.field, 'tasks.max');
  assert.match(issue.reason, /given as max\.tasks/);
});

test('names that objects have of their own are keys like any other', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const absent = parseConfig(
    names.map((name) => key(name, 'STRING', { defaultValue: 'absent' })),
    {},
  ).config;
  const raw = JSON.parse(
    '{"__proto__":"own","constructor":"own","toString":"own","hasOwnProperty":"own"}',
  ) as Record<string, string>;
  const given = parseConfig(
    names.map((name) => key(name, 'STRING')),
    raw,
  ).config;
  for (const name of names) {
    assert.equal(absent.string(name), 'absent');
    assert.equal(given.string(name), 'own');
  }
});

test('a getter refuses keys of another type, unknown keys and keys without a value', () => {
  const { config } = parseConfig(
    [key('text', 'STRING', { defaultValue: null }), key('count', 'INT', { defaultValue: '1' })],
    {},
  );
  const code = (wanted: string) => (error: unknown) => error instanceof ConfigError && error.code === wanted;
  assert.throws(() => config.string('count'), code('CONFIG_WRONG_TYPE'));
  assert.throws(() => config.int('other'), code('CONFIG_NOT_DEFINED'));
  assert.throws(() => config.string('text'), code('CONFIG_NO_VALUE'));
  assert.equal(config.stringOrNull('text'), null);
  assert.equal(config.has('text'), false);
  assert.equal(config.has('count'), true);
});

test('a validator that throws, or answers nonsense, refuses the value and quotes no password', () => {
  const key = (
    name: string,
    validator: () => unknown,
    type: 'STRING' | 'PASSWORD' = 'STRING',
  ): ConfigKey => ({
    name,
    type,
    importance: 'LOW',
    documentation: '',
    validator: validator as () => null,
  });
  const fail = (): never => {
    throw new Error('it said hush');
  };
  const { issues } = parseConfig([key('a', fail), key('b', () => false), key('p', fail, 'PASSWORD')], {
    a: '1',
    b: '2',
    p: 'hush',
  });
  assert.deepEqual(
    issues.map(({ field }) => field),
    ['a', 'b', 'p'],
  );
  assert.match(issues[0]?.reason ?? '', /validator failed: it said hush/);
  assert.match(issues[1]?.reason ?? '', /must return a reason or null, not a boolean/);
  assert.doesNotMatch(JSON.stringify(issues[2]), /hush/);
});

test('a value that may be in any case of letters is given as the definition spells it', () => {
  const definition = [
    {
      name: 'format',
      type: 'STRING',
      importance: 'LOW',
      documentation: 'd',
      allowed: ['BASE64', 'NUMERIC'],
      anyCase: true,
    },
    {
      name: 'strict',
      type: 'STRING',
      importance: 'LOW',
      documentation: 'd',
      allowed: ['none'],
      defaultValue: 'none',
    },
  ] as const;
  assert.equal(parseConfig(definition, { format: ' Numeric ' }).config.string('format'), 'NUMERIC');
  assert.deepEqual(
    parseConfig(definition, { format: 'num', strict: 'None' }).issues.map(({ field }) => field),
    ['format', 'strict'],
  );
});

test('a LONG has 64 bits, and no digit is lost in silence', () => {
  const definition = [key('n', 'LONG')];
  const read = (text: string) => parseConfigOrThrow(definition, { n: text });
  assert.equal(read('9223372036854775807').long('n'), 9223372036854775807n);
  assert.equal(read('-9007199254740993').long('n'), -9007199254740993n);
  assert.deepEqual([read('+7').int('n'), read('7').long('n')], [7, 7n]);
  assert.throws(() => read('9007199254740993').int('n'), { code: 'CONFIG_TOO_LARGE', field: 'n' });
  assert.throws(
    () => read('9223372036854775808'),
    /whole number from -9223372036854775808 to 9223372036854775807/,
  );
});

test('a whole number beyond 2^53 is a double too, rounded as doubles are', () => {
  const { config } = parseConfig([key('long', 'LONG')], { long: '9007199254740993' });
  assert.equal(config.double('long'), 9007199254740992);
});
