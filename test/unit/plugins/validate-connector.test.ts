import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { commonDefinition } from '#troupe/plugins/config-common.js';
import { configKeyInfos, type ConfigInfos } from '#troupe/plugins/config-infos.js';
import { validateConnector } from '#troupe/plugins/validate-connector.js';
import { discoverPlugins } from '#troupe/plugins/discover.js';
import type { PluginCatalog } from '#troupe/plugins/catalog.js';
import { loadPlugin } from '#troupe/plugins/load.js';
import { RecordingLogger } from '#troupe/sdk/testing/recording-logger.js';
import { folder, writePackage } from './packages.js';

const builtin = discoverPlugins([]);
const SOURCE = { name: 'n', 'connector.class': 'FileStreamSource', file: 'in.txt', topic: 'orders' };
const SINK = { name: 'n', 'connector.class': 'FileStreamSink', file: 'out.txt', topics: 'orders' };

function errorsOf(infos: ConfigInfos): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    infos.configs
      .filter(({ value }) => value.errors.length > 0)
      .map(({ value }) => [value.name, value.errors]),
  );
}

const errors = async (raw: Record<string, string>, catalog = builtin): Promise<ReturnType<typeof errorsOf>> =>
  errorsOf(await validateConnector(raw, catalog));

test("a good configuration is answered in Kafka Connect's shape", async () => {
  const infos = await validateConnector(SOURCE, builtin);
  assert.deepEqual(errorsOf(infos), {});
  assert.deepEqual(Object.keys(infos), [
    'issues',
    'warnings',
    'given',
    'name',
    'error_count',
    'groups',
    'configs',
  ]);
  assert.deepEqual([infos.name, infos.error_count], ['FileStreamSource', 0]);
  assert.ok(infos.groups.includes('Common') && infos.groups.includes('Error Handling'));
  const rows = new Map(infos.configs.map((row) => [row.value.name, row]));
  assert.equal(rows.size, infos.configs.length);
  assert.deepEqual(rows.get('errors.tolerance'), {
    definition: {
      name: 'errors.tolerance',
      type: 'STRING',
      required: false,
      default_value: 'none',
      importance: 'MEDIUM',
      documentation:
        'none: a record that cannot be converted, transformed or written fails its task. all: it is skipped; the log says how many there were and where the last one was, and the status counts them.',
      group: 'Error Handling',
      width: 'SHORT',
      display_name: 'Error Tolerance',
      dependents: [],
      order_in_group: 3,
    },
    value: {
      name: 'errors.tolerance',
      value: 'none',
      recommended_values: ['none', 'all'],
      errors: [],
      visible: true,
    },
  });
  assert.equal(rows.get('topic')?.value.value, 'orders');
  assert.equal(rows.get('name')?.definition.required, true);
});

const UNKNOWN = 'config.unknown.keys';

test('a reference that stands for nothing is the one error of its field', async () => {
  const value = '${file:/etc/paths:orders}';
  const found = async (field: string): Promise<ReturnType<typeof errorsOf>> => {
    const issues = [{ field, value, reason: 'is no file that secrets may be read from' }];
    const { file: _, ...rest } = SINK;
    return errorsOf(
      await validateConnector({ ...rest, [field]: value, 'rotate.ms': '-1' }, builtin, { issues }),
    );
  };
  for (const field of ['file', 'filename']) {
    const errors = await found(field);
    const ofField = Object.entries(errors).filter(([name]) => name !== 'rotate.ms');
    assert.deepEqual(
      ofField.flatMap(([, reasons]) => reasons),
      [`Invalid value ${value} for configuration ${field}: is no file that secrets may be read from`],
    );
    assert.equal(errors['rotate.ms']?.length, 1);
  }
});

test('every part of a configuration is checked, and all errors come at once', async () => {
  const found = await errors({
    ...SOURCE,
    name: ' ',
    'tasks.max': '0',
    'errors.tolerance': 'some',
    'value.converter': 'JsonConverter',
    'value.converter.schemas.enable': 'maybe',
    'key.converter': 'NoConverter',
    transforms: 'a',
    'transforms.a.type': 'HoistField$Value',
    'max.line.bytes': '-1',
    topic: 'no blanks',
  });
  assert.deepEqual(Object.keys(found).sort(), [
    'errors.tolerance',
    'key.converter',
    'max.line.bytes',
    'name',
    'tasks.max',
    'topic',
    'transforms.a.field',
    'value.converter.schemas.enable',
  ]);
  assert.deepEqual(found['tasks.max'], [
    'Invalid value 0 for configuration tasks.max: must be a whole number from 1 to 10000',
  ]);
  assert.deepEqual(found['transforms.a.field'], [
    'Missing required configuration "transforms.a.field" which has no default value.',
  ]);
});

test('a sink must say what it reads, in one way', async () => {
  const { topics: _, ...without } = SINK;
  assert.deepEqual(await errors(SINK), {});
  assert.deepEqual(await errors({ ...without, 'topics.regex': 'a.*' }), {});
  assert.deepEqual(Object.keys(await errors(without)), ['topics']);
  assert.deepEqual(Object.keys(await errors({ ...SINK, 'topics.regex': 'a.*' })), ['topics.regex']);
  assert.deepEqual(Object.keys(await errors({ ...without, topics: 'a,,b' })), ['topics']);
  assert.deepEqual(Object.keys(await errors({ ...without, 'topics.regex': 'a)(b' })), ['topics.regex']);
  assert.deepEqual(await errors({ ...without, topicNames: 'a,b' }), {});
});

test('an unknown class is an error of connector.class, beside those of the common keys', async () => {
  const found = await errors({ 'connector.class': 'FileStreamSorce', 'tasks.max': 'x' });
  assert.deepEqual(Object.keys(found).sort(), ['connector.class', 'name', 'tasks.max']);
  assert.match(found['connector.class']?.[0] ?? '', /Did you mean FileStreamSource\?/);
  assert.deepEqual(Object.keys(await errors({ name: 'n' })), ['connector.class']);
  assert.deepEqual(Object.keys(await errors({ name: 'n', 'connector.class': '' })), ['connector.class']);
  assert.deepEqual(Object.keys(await errors({ ...SOURCE, 'connector.plugin.version': '7' })), [
    'connector.plugin.version',
  ]);
});

test('a misspelled key is an error that names the right one; other unknown keys are allowed', async () => {
  const found = await errors({
    ...SOURCE,
    'task.max': '2',
    'transforms.x.type': 'left over',
    'value.convertor': 'JsonConverter',
    'producer.override.linger.ms': '5',
    'acme.own.key': 'x',
    // Near to a key that is given as well, so not meant by it.
    topic2: 'x',
    ...(JSON.parse('{"__proto__":"x","constructor":"x"}') as Record<string, string>),
  });
  assert.deepEqual(found, {
    'task.max': ['Configuration task.max is unknown: did you mean tasks.max?'],
    'value.convertor': ['Configuration value.convertor is unknown: did you mean value.converter?'],
  });
});

test('keys that nobody knows are refused, warned of or passed over, as the connector says, else the node', async () => {
  const raw = { ...SOURCE, 'acme.own.key': 'x', 'task.max': '2', 'producer.override.acks': 'all' };
  const found = async (
    own: Record<string, string>,
    node?: 'fail' | 'warn',
  ): Promise<readonly [string[], string[]]> => {
    const options = node === undefined ? {} : { unknownKeys: node };
    const infos = await validateConnector({ ...raw, ...own }, builtin, options);
    return [infos.issues.map(({ field }) => field), infos.warnings.map(({ field }) => field)];
  };
  const acks = 'producer.override.acks';
  const key = UNKNOWN;
  assert.deepEqual(await found({}), [['task.max'], ['acme.own.key', acks]]);
  assert.deepEqual(await found({ [key]: 'fail' }), [['acme.own.key', 'task.max'], [acks]]);
  assert.deepEqual(await found({ [key]: 'warn' }), [[], ['acme.own.key', 'task.max', acks]]);
  assert.deepEqual(await found({ [key]: 'ignore' }), [[], [acks]]);
  assert.deepEqual(await found({}, 'fail'), [['acme.own.key', 'task.max'], [acks]]);
  assert.deepEqual(await found({ [key]: 'ignore' }, 'fail'), [[], [acks]]);
  const { issues } = await validateConnector({ ...raw, [key]: 'never' }, builtin);
  assert.ok(issues.some(({ field, reason }) => field === key && reason.includes('auto, fail, warn, ignore')));
});

test('the keys of plugins that do not load, and of classes that are not there, are not called unknown', async () => {
  const missing = { 'value.converter': 'acme.Proto', 'value.converter.url': 'x', transforms: 't' };
  const { issues, warnings } = await validateConnector(
    { ...SOURCE, ...missing, 'transforms.t.type': 'acme.T', 'transforms.t.key': 'x', [UNKNOWN]: 'fail' },
    builtin,
  );
  assert.deepEqual(issues.map(({ field }) => field).sort(), ['transforms.t.type', 'value.converter']);
  assert.deepEqual(warnings, []);
  const none = await validateConnector({ name: 'n', 'connector.class': 'acme.X', 'acme.key': 'x' }, builtin);
  assert.deepEqual([none.issues.map(({ field }) => field), none.warnings], [['connector.class'], []]);
});

test("the sizes that a configuration gives Kafka's clients count here", async () => {
  const infos = await validateConnector({ ...SINK, 'consumer.override.max.poll.records': '77' }, builtin);
  const row = infos.configs.find(({ value }) => value.name === 'batch.max.records');
  assert.deepEqual([row?.value.value, infos.warnings], ['77', []]);
  assert.equal(infos.given['consumer.override.max.poll.records'], 'batch.max.records');
});

test('any converter may be for headers, one for headers only may not be for values', async () => {
  const infos = await validateConnector(
    { ...SINK, 'header.converter': 'org.apache.kafka.connect.json.JsonConverter' },
    builtin,
  );
  assert.deepEqual(errorsOf(infos), {});
  const shown = new Map(infos.configs.map(({ value }) => [value.name, value.value]));
  assert.equal(shown.get('header.converter.schemas.enable'), 'true');
  const simple = 'org.apache.kafka.connect.storage.SimpleHeaderConverter';
  assert.deepEqual(await errors({ ...SINK, 'header.converter': simple }), {});
  const refused = await errors({
    ...SINK,
    'value.converter': simple,
    'header.converter': 'JsonConverter',
    'header.converter.schemas.enable': 'perhaps',
  });
  assert.deepEqual(Object.keys(refused).sort(), ['header.converter.schemas.enable', 'value.converter']);
  assert.match(refused['value.converter']?.[0] ?? '', /no converter ".*SimpleHeaderConverter"/);
});

test("the node's header converter is that of a connector that names none", async () => {
  const infos = await validateConnector(SINK, builtin, { headerConverter: 'LongConverter' });
  const row = infos.configs.find(({ value }) => value.name === 'header.converter');
  assert.equal(row?.definition.default_value, 'LongConverter');
});

test('what Kafka Connect promises and this version does not is refused, not passed over', async () => {
  for (const [key, value] of [
    ['consumer.override.auto.offset.reset', 'latest'],
    ['consumer.override.group.id', 'mine'],
    ['transaction.boundary', 'connector'],
  ] as const)
    assert.match((await errors({ ...SINK, [key]: value }))[key]?.[0] ?? '', /not supported/, key);
  for (const [key, value] of [
    ['consumer.override.auto.offset.reset', 'earliest'],
    ['consumer.override.max.poll.records', '100'],
    ['transaction.boundary', 'POLL'],
  ] as const)
    assert.deepEqual(await errors({ ...SINK, [key]: value }), {}, key);
});

/** `connect`: of the method of that name, which it else does not have. */
function withConnector(t: TestContext, body: string, connect: string | null = null): PluginCatalog {
  const root = join(folder(t), 'p');
  writePackage(root, [{ class: 'Own', type: 'source', version: '1.0.0', module: 'p.js' }], {
    'p.js': `const key = (name, type) => ({ name, type, importance: 'HIGH', documentation: 'd' });
      export default { type: 'source', plugin: { kind: 'source', version: '1',
        config: [key('pass', 'PASSWORD'), key('db.url', 'STRING')],
        taskConfigs: () => [], createTask: () => ({}), validate(config) { ${body} },
        ${connect === null ? '' : `connect(context, config) { ${connect} }`} } };`,
  });
  return discoverPlugins([root]);
}

const OWN = { name: 'n', 'connector.class': 'Own', pass: 'hunter2', 'db.url': 'db' };

test("a connector's own check adds its issues, once its fields are good", async (t) => {
  const catalog = withConnector(
    t,
    `return [{ field: 'pass', value: config.secret('pass').reveal(), reason: 'is refused' }];`,
  );
  const infos = await validateConnector(OWN, catalog);
  assert.deepEqual(errorsOf(infos), { pass: ['Invalid value [hidden] for configuration pass: is refused'] });
  assert.doesNotMatch(JSON.stringify(infos), /hunter2/);
  const { 'db.url': _, ...incomplete } = OWN;
  assert.deepEqual(Object.keys(await errors(incomplete, catalog)), ['db.url']);
});

test("a connector's check that throws is an error of the configuration, not of the caller", async (t) => {
  const found = await errors(OWN, withConnector(t, `throw new Error('cannot connect');`));
  assert.match(found['connector.class']?.[0] ?? '', /check failed: cannot connect/);
});

const DRY = {
  connectorName: 'n',
  log: new RecordingLogger(),
  signal: new AbortController().signal,
  files: { check: () => Promise.resolve(), realPath: (path: string) => Promise.resolve(path) },
  positions: async () => [],
};

test('a dry run connects once all else is good, and what does not work is an error of its field', async (t) => {
  const down = "throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });";
  const refused = "return [{ field: 'pass', value: config.secret('pass').reveal(), reason: 'is wrong' }];";
  const { 'db.url': _, ...incomplete } = OWN;
  for (const [connect, raw, dryRun, found] of [
    ['return [];', OWN, 'PASSED', {}],
    [down, OWN, 'FAILED', { 'connector.class': /the connector cannot connect: connect ECONNREFUSED$/ }],
    [refused, OWN, 'FAILED', { pass: /^Invalid value \[hidden\] for configuration pass: is wrong$/ }],
    ['return 1;', OWN, 'FAILED', { 'connector.class': /connect: it must be an array of issues/ }],
    [refused, incomplete, 'SKIPPED', { 'db.url': /^Missing required/ }],
    [null, OWN, 'NOT_SUPPORTED', {}],
  ] as const) {
    const infos = await validateConnector(raw, withConnector(t, 'return [];', connect), { dryRun: DRY });
    assert.equal(infos.dry_run, dryRun, String(connect));
    const told = errorsOf(infos);
    assert.deepEqual(Object.keys(told), Object.keys(found));
    for (const [field, message] of Object.entries(found)) assert.match(told[field]?.[0] ?? '', message);
  }
  assert.equal((await validateConnector(OWN, withConnector(t, 'return [];', down))).dry_run, undefined);
});

test('definitions are numbered within their groups', () => {
  const key = { type: 'STRING', importance: 'LOW', documentation: 'd' } as const;
  const infos = configKeyInfos([
    { ...key, name: 'a', group: 'G' },
    { ...key, name: 'b', group: 'H', defaultValue: null },
    { ...key, name: 'c', group: 'G', orderInGroup: 9 },
    { ...key, name: 'd', type: 'PASSWORD', defaultValue: 'changeme' },
  ]);
  assert.deepEqual(
    infos.map((info) => [info.name, info.group, info.order_in_group, info.required]),
    [
      ['a', 'G', 1, true],
      ['b', 'H', 1, false],
      ['c', 'G', 9, true],
      ['d', null, -1, false],
    ],
  );
  assert.equal(infos[3]?.default_value, '[hidden]');
});

test('an error is told as a sentence, and as field, value and reason', async () => {
  const { issues } = await validateConnector({ ...SOURCE, name: '', 'tasks.max': 'x' }, builtin);
  assert.deepEqual(issues, [
    { field: 'name', value: '', reason: 'must not be empty' },
    { field: 'tasks.max', value: 'x', reason: 'must be a whole number from 1 to 10000' },
  ]);
});

test('no built-in connector uses a key that every connector has for something else', async () => {
  for (const entry of builtin.plugins.filter(({ type }) => type === 'source' || type === 'sink')) {
    const { type, plugin } = await loadPlugin(entry);
    if (type !== 'source' && type !== 'sink') continue;
    const common = new Set(commonDefinition(type).map(({ name }) => name));
    const twice = plugin.config.map(({ name }) => name).filter((name) => common.has(name));
    // The file source needs what is optional elsewhere.
    assert.deepEqual(
      twice.filter((name) => name !== 'topic'),
      [],
      entry.class,
    );
  }
});

test('a password that a converter or a transform refuses is not quoted', async (t) => {
  const dir = folder(t);
  const errors = JSON.stringify(import.meta.resolve('#troupe/sdk/errors.js'));
  const create = "() => { throw new ConfigError('is too weak', { field: 'auth.key' }); }";
  const plugin = (type: string): string =>
    `import { ConfigError } from ${errors};
     export default { type: '${type}', plugin: { version: '1', input: 'bytes', create: ${create},
       config: [{ name: 'auth', aliases: ['auth.key'], type: 'PASSWORD', importance: 'HIGH', documentation: '' }] } };`;
  writePackage(
    dir,
    [
      { class: 'Locked', type: 'transformation', version: '1', module: 't.js' },
      { class: 'LockedConverter', type: 'converter', version: '1', module: 'c.js' },
    ],
    { 't.js': plugin('transformation'), 'c.js': plugin('converter') },
  );
  const infos = await validateConnector(
    {
      ...SOURCE,
      'value.converter': 'LockedConverter',
      'value.converter.auth.key': 'hunter2',
      transforms: 'x',
      'transforms.x.type': 'Locked',
      'transforms.x.auth.key': 'hunter2',
    },
    discoverPlugins([dir]),
  );
  assert.deepEqual(Object.keys(errorsOf(infos)).sort(), [
    'transforms.x.auth.key',
    'value.converter.auth.key',
  ]);
  assert.doesNotMatch(JSON.stringify(infos), /hunter2/);
});

test('a transform or predicate whose close throws ends no validation, and the others are closed as well', async (t) => {
  const root = folder(t);
  const closed: string[] = [];
  const noted = 'troupe.test.closed';
  Reflect.set(globalThis, noted, closed);
  t.after(() => Reflect.deleteProperty(globalThis, noted));
  const module = (type: string, name: string): string => `export default { type: '${type}', plugin: {
    version: '1', config: [], create: () => ({
      apply: (record) => record, test: () => true,
      ${name === 'B' ? 'async ' : ''}close() { globalThis['${noted}'].push('${name}'); throw new Error('no end'); },
    }) } };`;
  const plugins = { A: 'transformation', B: 'transformation', P: 'predicate' };
  writePackage(
    root,
    Object.entries(plugins).map(([name, type]) => ({
      class: name,
      type,
      version: '1',
      module: `${name}.js`,
    })),
    Object.fromEntries(Object.entries(plugins).map(([name, type]) => [`${name}.js`, module(type, name)])),
  );
  const chain = { transforms: 'a,b', 'transforms.a.type': 'A', 'transforms.b.type': 'B' };
  const raw = { ...SOURCE, ...chain, predicates: 'p', 'predicates.p.type': 'P' };
  assert.deepEqual(await errors(raw, discoverPlugins([root])), {});
  assert.deepEqual(closed.splice(0), ['A', 'B', 'P']);
  const wrong = await errors({ ...raw, transforms: 'a,b,c' }, discoverPlugins([root]));
  assert.deepEqual(Object.keys(wrong), ['transforms.c.type']);
  assert.deepEqual(closed, ['A', 'B', 'P']);
});
