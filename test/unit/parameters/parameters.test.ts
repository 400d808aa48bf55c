import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test } from 'node:test';
import { environmentName, hasTypeOf, propertyOf } from '#troupe/core/parameters/parameters-definition.js';
import { PARAMETERS } from '#troupe/core/parameters/parameters-table.js';
import { defaultValue, parseValue } from '#troupe/core/parameters/parameters-value.js';
import { loadParameters, type LoadResult, type Parameters } from '#troupe/core/parameters/parameters.js';

interface Given {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
}

function load({ argv = [], env = {}, file }: Given): LoadResult {
  return loadParameters({
    argv: file === undefined ? argv : ['-c', 'connect.conf', ...argv],
    env,
    cwd: '/srv/node',
    readFile: (path) => {
      assert.equal(path, 'connect.conf');
      return file ?? '';
    },
  });
}

function parametersOf(given: Given): Parameters {
  const result = load(given);
  assert.ok(result.ok && result.action === 'run', inspect(result));
  return result.parameters;
}

function errorsOf(given: Given): readonly string[] {
  const result = load(given);
  assert.ok(!result.ok, 'expected errors');
  return result.errors;
}

/** The one error there is. */
function errorOf(given: Given): string {
  const errors = errorsOf(given);
  assert.equal(errors.length, 1, inspect(errors));
  return errors[0] ?? '';
}

test('a node without any setting has the documented defaults', () => {
  const parameters = parametersOf({});
  assert.equal(parameters.httpPort, 8082);
  assert.equal(parameters.httpHost, '127.0.0.1');
  assert.equal(parameters.storePathRootDir, '/srv/node/data/store');
  assert.equal(parameters.clusterStoreTopic, 'connector-cluster-topic');
  assert.equal(parameters.topicRetentionMs, 7 * 24 * 3600 * 1000);
  assert.deepEqual(parameters.pluginPaths, []);
  assert.equal(parameters.logFile, null);
});

test('the command line beats the environment, that the file, that the default', () => {
  const file = 'httpPort=1001\nlog.level=error\nworkerId=from-file\n';
  const env = { TROUPE_HTTP_PORT: '1002', TROUPE_LOG_LEVEL: 'warn', PATH: '/bin' };
  const parameters = parametersOf({ file, env, argv: ['--set', 'httpPort=1003'] });
  assert.equal(parameters.httpPort, 1003);
  assert.equal(parameters.logLevel, 'warn');
  assert.equal(parameters.workerId, 'from-file');
  assert.equal(parameters.httpHost, '127.0.0.1');
});

test('a value that was overridden is not checked', () => {
  assert.equal(parametersOf({ file: 'httpPort=none\n', argv: ['--set=httpPort=1'] }).httpPort, 1);
});

test('what is given is told with its source, and secrets are not', () => {
  const result = load({
    file: 'accessKey=AKIA1\n',
    env: { TROUPE_SECRET_KEY: 'p4ss' },
    argv: ['--set', 'httpPort=1'],
  });
  assert.ok(result.ok && result.action === 'run');
  assert.deepEqual(result.given, [
    { key: 'accessKey', text: '[hidden]', source: 'connect.conf:1' },
    { key: 'secretKey', text: '[hidden]', source: 'TROUPE_SECRET_KEY' },
    { key: 'httpPort', text: '1', source: '--set' },
  ]);
  assert.equal(result.parameters.secretKey?.reveal(), 'p4ss');
  for (const printed of [inspect(result, { depth: 9 }), JSON.stringify(result)]) {
    assert.doesNotMatch(printed, /AKIA1|p4ss/);
  }
});

test('every mistake is reported at once, with its place', () => {
  const errors = errorsOf({
    file: 'httpPort=80a\nheartbeat.intervall.ms=5\nx=\\uZ\n',
    env: { TROUPE_TOPIC_QUEUES: '0' },
    argv: ['--frobnicate', '--set', 'log.level=loud', '--set', 'nonsense'],
  });
  assert.deepEqual(errors.map((error) => error.slice(0, error.indexOf(':'))).sort(), [
    'BAD_COMMAND_LINE',
    'BAD_COMMAND_LINE',
    'BAD_CONFIG_FILE',
    'BAD_PARAMETER',
    'BAD_PARAMETER',
    'BAD_PARAMETER',
    'UNKNOWN_PARAMETER',
    'UNKNOWN_PARAMETER',
  ]);
  const has = (pattern: RegExp): void => {
    assert.ok(
      errors.some((error) => pattern.test(error)),
      `${String(pattern)} in ${inspect(errors)}`,
    );
  };
  has(/httpPort = "80a" \(connect\.conf:1\): expected a whole number from 0 to 65535/);
  has(/heartbeat\.intervall\.ms \(connect\.conf:2\) does not exist: did you mean heartbeat\.interval\.ms\?/);
  has(/topic\.queues = "0" \(TROUPE_TOPIC_QUEUES\)/);
  has(/log\.level = "loud" \(--set\): expected one of debug, info, warn, error/);
});

test('a misspelt environment variable names the nearest; what Kubernetes sets for a service is left alone', () => {
  const env = {
    TROUPE_SERVICE_HOST: '10.0.0.1',
    TROUPE_PORT_8082_TCP_ADDR: '10.0.0.1',
    TROUPE_PORT: 'tcp://10.0.0.1:8082',
  };
  parametersOf({ env });
  assert.match(
    errorOf({ env: { ...env, TROUPE_HTTPPORT: '1' } }),
    /TROUPE_HTTPPORT.*did you mean TROUPE_HTTP_PORT/,
  );
});

test("RocketMQ Connect's names are understood, or refused with the reason", () => {
  const file = 'keyConverter=JsonConverter\nmaxStopTimeoutMills=7000\n';
  assert.equal(parametersOf({ file }).keyConverter, 'JsonConverter');
  assert.equal(parametersOf({ file }).taskStopTimeoutMs, 7000);
  assert.match(
    errorOf({ file: 'clusterName="DefaultCluster"\n' }),
    /clusterName .* has no meaning here: remove it/,
  );
  assert.match(
    errorOf({ file: 'keyConverter=a\nkey.converter=b\n' }),
    /BAD_CONFIG_FILE: connect\.conf:2: .* one parameter/,
  );
});

test('RocketMQ is asked for by addresses, and not together with what is for the embedded log', () => {
  const addresses = 'a.example:9876;[::1]:9877,10.0.0.1:1';
  assert.equal(parametersOf({ file: `namesrvAddr=${addresses}\n` }).namesrvAddr, addresses);
  assert.equal(parametersOf({ file: 'namesrvAddr=\n' }).namesrvAddr, null);
  assert.match(errorOf({ file: 'namesrvAddr=localhost\n' }), /BAD_PARAMETER: namesrvAddr .* `host:port`/);
  assert.match(errorOf({ file: 'rocketmq.endpoints=localhost:8081\n' }), /needs namesrvAddr/);
  assert.match(errorOf({ file: 'namesrvAddr=a:1\nstore.path=/x\n' }), /CONFLICTING_PARAMETERS: store\.path/);
  assert.match(errorOf({ file: 'namesrvAddr=a:1\nconfigStoreTopic=a.b\n' }), /a\.b cannot name a topic/);
});

test('times that contradict each other are refused', () => {
  assert.match(
    errorOf({ argv: ['--set', 'lease.ms=5000'] }),
    /lease\.ms \(5000\) must be less than eviction\.timeout\.ms/,
  );
  assert.match(
    errorOf({ argv: ['--set', 'lease.ms=900'] }),
    /heartbeat\.interval\.ms \(1000\) must be less than lease/,
  );
  assert.match(errorOf({ argv: ['--set', 'task.restart.backoff.max.ms=10'] }), /backoff\.min\.ms \(500\)/);
  assert.match(errorOf({ argv: ['--set', 'planning.timeout.ms=90000'] }), /http\.request\.timeout\.ms/);
  assert.match(errorOf({ argv: ['--set', 'configStoreTopic=connector-offset-topic'] }), /four topics/);
  assert.match(
    errorOf({ argv: ['--set', 'aclEnable=true', '--set', 'accessKey=a'] }),
    /both accessKey and secretKey/,
  );
});

test('a bad value is not reported a second time by a check that needs it', () => {
  assert.match(
    errorOf({ argv: ['--set', 'lease.ms=soon', '--set', 'heartbeat.interval.ms=4000'] }),
    /^BAD_PARAMETER: lease/,
  );
});

test('a file that cannot be read is an error beside the others', () => {
  const result = loadParameters({
    argv: ['-c', 'no.conf', '--set', 'httpPort=x'],
    env: {},
    cwd: '/',
    readFile: () => {
      throw new Error('ENOENT: no such file');
    },
  });
  assert.ok(!result.ok);
  assert.equal(result.errors.length, 2);
  assert.match(result.errors[0] ?? '', /^CONFIG_FILE_UNREADABLE: no\.conf: ENOENT/);
});

test('help and version win over whatever else is wrong', () => {
  const help = load({ argv: ['--set', 'httpPort=x', '-h'] });
  assert.ok(help.ok && help.action === 'help');
  assert.ok(help.text.split('\n').length < 20);
  assert.deepEqual(load({ argv: ['--version'] }), { ok: true, action: 'version' });
});

test('an option without its value, and a second config file, are errors', () => {
  assert.match(errorOf({ argv: ['--config'] }), /--config needs a value/);
  assert.match(errorOf({ argv: ['-c', 'connect.conf', '--config=connect.conf'] }), /stands twice/);
  assert.doesNotMatch(errorOf({ argv: ['--set', 'secretKey:hunter2'] }), /hunter2/);
  assert.doesNotMatch(errorOf({ argv: ['secretKey=hunter2'] }), /hunter2/);
});

test('lists and paths are split and made absolute; numbers must be plain; none lifts a limit', () => {
  const parameters = parametersOf({
    argv: [
      '--set',
      'pluginPaths=plugins, /opt/p ,',
      '--set',
      'http.allowed.hosts=a,b',
      '--set',
      'topic.retention.bytes=none',
    ],
  });
  assert.deepEqual(parameters.pluginPaths, ['/srv/node/plugins', '/opt/p']);
  assert.deepEqual(parameters.httpAllowedHosts, ['a', 'b']);
  assert.equal(parameters.topicRetentionBytes, null);
  for (const value of ['1e3', '0x10', '', '1.5', '+1', '99999', 'NaN', '-1']) {
    assert.match(errorOf({ argv: ['--set', `httpPort=${value}`] }), /BAD_PARAMETER: httpPort/);
  }
});

test('keys that could reach a prototype are unknown keys and nothing else', () => {
  const errors = errorsOf({ file: '__proto__=1\nconstructor=2\n', argv: ['--set', '__proto__.x=3'] });
  assert.equal(errors.filter((error) => error.startsWith('UNKNOWN_PARAMETER')).length, 3);
});

test('every definition is sound: its default is allowed, its names are its own, its doc is a sentence', () => {
  const names = [...PARAMETERS].flatMap(([key, { alias }]) => (alias === undefined ? [key] : [key, alias]));
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set([...PARAMETERS.keys()].map(environmentName)).size, PARAMETERS.size);
  assert.equal(new Set([...PARAMETERS.keys()].map(propertyOf)).size, PARAMETERS.size);
  for (const [key, definition] of PARAMETERS) {
    assert.match(definition.doc, /^[A-Z`].*\.$/s, key);
    const text = definition.default === null ? '' : String(definition.default);
    const parsed = parseValue(definition, text, '/srv');
    assert.ok(parsed.ok, key);
    assert.deepEqual(parsed.value, defaultValue(definition, '/srv'), key);
  }
});

test('a default, and what is parsed, has the type of its definition; a value of another type has not', () => {
  for (const [key, definition] of PARAMETERS) {
    assert.ok(hasTypeOf(definition, defaultValue(definition, '/srv/node')), key);
    for (const other of [undefined, {}, Symbol('other')])
      assert.equal(hasTypeOf(definition, other), false, key);
    const typed = ['1', 'true', 'x', 'none'].map((text) => parseValue(definition, text, '/srv/node'));
    for (const parsed of typed) assert.ok(!parsed.ok || hasTypeOf(definition, parsed.value), key);
  }
});
