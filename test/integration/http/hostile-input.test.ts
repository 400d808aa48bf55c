import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';

import { errorOf, Rest, type Sent } from './client.js';
import { SOURCE } from './in-memory-runtime.js';

const CONFIG = { 'connector.class': SOURCE, file: 'a.txt' };

interface Row {
  readonly situation: string;
  readonly send: readonly [method: string, path: string, sent: Sent];
  readonly refused: string;
  /** Fields told in `errors`. */
  readonly fields?: readonly string[];
  readonly says?: RegExp;
}

const post = (body: unknown, headers: Readonly<Record<string, string>> = {}): Row['send'] => [
  'POST',
  '/connectors',
  { body, headers },
];
const put = (body: unknown): Row['send'] => ['PUT', '/connectors/b/config', { body }];
const create = (name: unknown): Row['send'] => post({ name, config: CONFIG });

/** As long as a request line may be, nearly. */
const LONG = 'x'.repeat(8000);
const ABSENT = (
  [
    ['GET', `/connectors/${LONG}`, 'CONNECTOR_NOT_FOUND'],
    ['DELETE', `/connectors/${LONG}`, 'CONNECTOR_NOT_FOUND'],
    ['PUT', `/connectors/${LONG}/pause`, 'CONNECTOR_NOT_FOUND'],
    ['POST', `/connectors/${LONG}/restart`, 'CONNECTOR_NOT_FOUND'],
    ['GET', `/connectors/${LONG}/status`, 'CONNECTOR_NOT_FOUND'],
    ['POST', `/connectors/${LONG}/tasks/0/restart`, 'CONNECTOR_NOT_FOUND'],
    ['GET', `/connector-plugins/${LONG}/config`, 'PLUGIN_NOT_FOUND'],
  ] as const
).map(([method, path, refused]): Row => ({
  situation: `a name of 8,000 characters that there is not: ${method} ${path.replace(LONG, '…')}`,
  send: [method, path, {}],
  refused,
  says: /^.{1,200}$/,
}));

const ROWS: readonly Row[] = [
  ...ABSENT,
  {
    situation: 'a class of 8,000 characters that is not the one addressed',
    send: ['PUT', '/connector-plugins/a/config/validate', { body: { 'connector.class': LONG } }],
    refused: 'PLUGIN_MISMATCH',
    fields: ['connector.class'],
    says: /^.{1,500}$/,
  },
  { situation: 'no body', send: ['POST', '/connectors', {}], refused: 'BODY_REQUIRED' },
  { situation: 'an empty body', send: post('  '), refused: 'BODY_REQUIRED' },
  {
    situation: 'half an object',
    send: post('{\n"name": "b",\n"config":}'),
    refused: 'BODY_NOT_JSON',
    says: /line 3, column 10/,
  },
  {
    situation: 'a password in broken JSON',
    send: post('{"password": hunter2}'),
    refused: 'BODY_NOT_JSON',
    says: /^(?!.*hunter2)/,
  },
  {
    situation: 'bytes that are not UTF-8',
    send: post(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
    refused: 'BODY_NOT_JSON',
    says: /UTF-8/,
  },
  { situation: 'an array', send: post([]), refused: 'BODY_INVALID' },
  { situation: 'null', send: post('null'), refused: 'BODY_INVALID' },
  { situation: 'a number', send: put('1'), refused: 'BODY_INVALID' },
  { situation: '100,000 open brackets', send: post('['.repeat(100_000)), refused: 'BODY_NOT_JSON' },
  {
    situation: 'an object nested 16,000 deep',
    send: put(`${'{"a":'.repeat(16_000)}1${'}'.repeat(16_000)}`),
    refused: 'BODY_NOT_JSON',
    says: /32 levels/,
  },
  {
    situation: 'a key twice',
    send: put('{"file": "a", "file": "b"}'),
    refused: 'BODY_NOT_JSON',
    says: /column 15: the same key/,
  },
  { situation: 'text after the object', send: put('{} {}'), refused: 'BODY_NOT_JSON', says: /column 4/ },
  { situation: 'no config', send: post({ name: 'b' }), refused: 'BODY_INVALID', fields: ['config'] },
  {
    situation: 'a config that is a list',
    send: post({ name: 'b', config: [] }),
    refused: 'BODY_INVALID',
    fields: ['config'],
  },
  {
    situation: 'wrong types everywhere',
    send: post({ name: {}, config: { a: [1], b: null, c: { d: 1 } }, initial_state: 7, other: 1 }),
    refused: 'BODY_INVALID',
    fields: ['name', 'a', 'b', 'c', 'initial_state', 'other'],
  },
  {
    situation: 'null in a configuration',
    send: put({ ...CONFIG, file: null }),
    refused: 'BODY_INVALID',
    fields: ['file'],
  },
  {
    situation: 'a list in a patch',
    send: ['PATCH', '/connectors/b/config', { body: { file: [] } }],
    refused: 'BODY_INVALID',
    fields: ['file'],
  },
  { situation: 'an empty key', send: put({ ...CONFIG, ' ': 'x' }), refused: 'BODY_INVALID', fields: [' '] },
  {
    situation: 'keys that pollute prototypes',
    send: put('{"__proto__": {"polluted": "yes"}, "constructor": "x", "prototype": "y"}'),
    refused: 'BODY_INVALID',
    fields: ['__proto__', 'constructor', 'prototype'],
  },
  {
    situation: 'a polluting key beside the config',
    send: post('{"name": "b", "config": {}, "__proto__": {"polluted": "yes"}}'),
    refused: 'BODY_INVALID',
    fields: ['__proto__'],
  },
  {
    situation: 'a password of the wrong type',
    send: put({ ...CONFIG, 'db.password': ['hunter2'] }),
    refused: 'BODY_INVALID',
    fields: ['db.password'],
    says: /^(?!.*hunter2)/,
  },
  {
    situation: 'an unknown class',
    send: put({ ...CONFIG, 'connector.class': 'no.such.Class' }),
    refused: 'CONFIG_INVALID',
    fields: ['connector.class'],
  },
  { situation: 'an empty name', send: create(''), refused: 'CONNECTOR_NAME_INVALID', fields: ['name'] },
  { situation: 'a blank name', send: create(' \t '), refused: 'CONNECTOR_NAME_INVALID', fields: ['name'] },
  { situation: 'a name with a slash', send: create('a/b'), refused: 'CONNECTOR_NAME_INVALID' },
  {
    situation: 'an escaped slash in the path',
    send: ['PUT', '/connectors/a%2Fb/config', { body: CONFIG }],
    refused: 'CONNECTOR_NAME_INVALID',
  },
  {
    situation: 'a name that climbs',
    send: ['PUT', '/connectors/..%2F..%2Fetc%2Fpasswd/config', { body: CONFIG }],
    refused: 'CONNECTOR_NAME_INVALID',
  },
  { situation: 'the name ..', send: create('..'), refused: 'CONNECTOR_NAME_INVALID' },
  {
    situation: 'the name . in the path',
    send: ['PUT', '/connectors/%2E/config', { body: CONFIG }],
    refused: 'CONNECTOR_NAME_INVALID',
  },
  { situation: 'a NUL in a name', send: create('a\u0000b'), refused: 'CONNECTOR_NAME_INVALID' },
  {
    situation: 'a line break in a name',
    send: ['PUT', '/connectors/a%0Ab/config', { body: CONFIG }],
    refused: 'CONNECTOR_NAME_INVALID',
  },
  {
    situation: 'half a surrogate pair in a name',
    send: post('{"name": "a\\ud800", "config": {}}'),
    refused: 'CONNECTOR_NAME_INVALID',
  },
  {
    situation: 'a name of 256 bytes',
    send: create('é'.repeat(128)),
    refused: 'CONNECTOR_NAME_INVALID',
    says: /256 bytes/,
  },
  {
    situation: 'the name that would read as a command',
    send: create('stopAll'),
    refused: 'CONNECTOR_NAME_INVALID',
  },
  {
    situation: 'a broken escape in the path',
    send: ['GET', '/connectors/%zz', {}],
    refused: 'URL_MALFORMED',
  },
  {
    situation: 'an escape that is not UTF-8',
    send: ['GET', '/connectors/%ff/status', {}],
    refused: 'URL_MALFORMED',
  },
  {
    situation: 'text that is no JSON',
    send: post('name=b', { 'content-type': 'application/x-www-form-urlencoded' }),
    refused: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    situation: 'JSON in another character set',
    send: post('{}', { 'content-type': 'application/json; charset=utf-16' }),
    refused: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    situation: 'a compressed body',
    send: post('{}', { 'content-encoding': 'identity, gzip' }),
    refused: 'UNSUPPORTED_MEDIA_TYPE',
    says: /identity, gzip/,
  },
  {
    situation: 'a body that is compressed on the way',
    send: post(JSON.stringify({ name: 'b', config: CONFIG }), { 'transfer-encoding': 'gzip, chunked' }),
    refused: 'TRANSFER_ENCODING_UNSUPPORTED',
    says: /gzip, chunked/,
  },
  {
    situation: 'a body that is compressed on the way, to a route that reads none',
    send: ['PUT', '/connectors/b/pause', { body: '{}', headers: { 'transfer-encoding': 'gzip, chunked' } }],
    refused: 'TRANSFER_ENCODING_UNSUPPORTED',
  },
  { situation: 'a body of 10 MB', send: post('x'.repeat(10_000_000)), refused: 'BODY_TOO_LARGE' },
  {
    situation: 'a body of 10 MB of unknown length',
    send: post('x'.repeat(10_000_000), { 'transfer-encoding': 'chunked' }),
    refused: 'BODY_TOO_LARGE',
  },
  {
    situation: 'a body of 10 MB to a route that reads none',
    send: ['PUT', '/connectors/b/pause', { body: 'x'.repeat(10_000_000) }],
    refused: 'BODY_TOO_LARGE',
  },
  {
    situation: 'headers of 20 KB',
    send: ['GET', '/', { headers: { 'x-long': 'x'.repeat(20_000) } }],
    refused: 'HEADERS_TOO_LARGE',
  },
];

for (const { situation, send, refused, fields, says } of ROWS) {
  test(`${situation}: ${refused}`, async (t) => {
    const rest = await Rest.start(t);
    const answer = await rest.send(...send);
    const error = errorOf(answer.json);
    assert.equal(error.code, refused, answer.text);
    assert.equal(error.error_code, answer.status);
    if (fields !== undefined)
      assert.deepEqual(
        error.errors?.map(({ field }) => field),
        fields,
      );
    if (says !== undefined) assert.match(answer.text, says);
    assert.equal(rest.runtime.entries.size, 0);
    assert.equal(Object.getOwnPropertyDescriptor(Object.prototype, 'polluted'), undefined);
    assert.equal((await rest.send('GET', '/')).status, 200);
  });
}

test('scalars in a configuration become the text that was sent, with every digit', async (t) => {
  const rest = await Rest.start(t);
  const body = `{"connector.class": "${SOURCE}", "file": "1 \\" 2", "a": 1.0, "b": 12345678901234567890, "c": -2E-3, "d": true, "e": false}`;
  assert.equal((await rest.send('PUT', '/connectors/b/config', { body })).status, 201);
  const { a, b, c, d, e, file } = rest.runtime.entries.get('b')?.config ?? {};
  assert.deepEqual([a, b, c, d, e, file], ['1.0', '12345678901234567890', '-2E-3', 'true', 'false', '1 " 2']);
});

for (const name of [
  'my orders',
  'заказы',
  '注文 🚚',
  "o'brien & co; --",
  '100%',
  'a?b#c',
  '...',
  '%2F',
  'toString',
]) {
  test(`a connector may be called ${name}`, async (t) => {
    const rest = await Rest.start(t);
    const path = `/connectors/${encodeURIComponent(name)}`;
    const created = await rest.send('POST', '/connectors', { body: { name, config: CONFIG } });
    assert.equal(created.headers.location, `http://127.0.0.1:${rest.port}${path}`);
    const listed = await rest.send('GET', '/connectors?expand=status');
    assert.deepEqual(Object.keys(listed.json ?? {}), [name]);
    for (const send of [
      ['PUT', '/pause', 202],
      ['GET', '/tasks/0/status', 200],
      ['DELETE', '', 204],
    ] as const) {
      assert.equal((await rest.send(send[0], path + send[1])).status, send[2]);
    }
    assert.equal(rest.runtime.entries.size, 0);
  });
}

test('JSON is taken for what it is, whatever its type is called', async (t) => {
  const rest = await Rest.start(t);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.equal((await rest.send('PUT', '/connectors/b/config', { body: CONFIG, headers })).status, 201);
});

test('a client that asks before it sends a large body is refused without sending it', async (t) => {
  const rest = await Rest.start(t);
  const head =
    'POST /connectors HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\nExpect: 100-continue\r\n\r\n';
  const received = await rest.raw(head);
  assert.match(received, /^HTTP\/1\.1 413 /);
  assert.match(received, /\r\nConnection: close\r\n/i);
});

test('a client that asks before it sends a small body is told to go on', async (t) => {
  const rest = await Rest.start(t);
  const body = JSON.stringify(CONFIG);
  const head = `PUT /connectors/b/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\nConnection: close\r\n`;
  const received = await rest.raw(`${head}Expect: 100-continue\r\n\r\n${body}`);
  assert.match(received, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
});

test('a client that goes on sending a refused body is not reset before it has read the answer', async (t) => {
  const rest = await Rest.start(t);
  const socket = connect({ port: rest.port, host: '127.0.0.1' });
  const faults: Error[] = [];
  socket.on('error', (error) => faults.push(error));
  const chunk = `${(200_000).toString(16)}\r\n${'x'.repeat(200_000)}\r\n`;
  socket.write(`POST /connectors HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
  const answers: readonly unknown[] = await once(socket, 'data');
  assert.match(String(answers[0]), /^HTTP\/1\.1 413 /);
  for (let more = 0; more < 20; more += 1) socket.write(chunk);
  socket.write('0\r\n\r\n');
  await once(socket, 'close');
  assert.deepEqual(faults, []);
});

test('a declared length of more than 32 bits is refused', async (t) => {
  const rest = await Rest.start(t);
  const received = await rest.raw(
    'PUT /connectors/b/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4294967297\r\n\r\n',
  );
  assert.match(received, /^HTTP\/1\.1 413 /);
});

test('a transfer encoding that shows no end of the body is refused by its name', async (t) => {
  const rest = await Rest.start(t);
  const received = await rest.raw(
    'PUT /connectors/b/pause HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n{}',
  );
  assert.match(received, /^HTTP\/1\.1 501 /);
  const { code, message } = errorOf(JSON.parse(received.slice(received.indexOf('{'))));
  assert.equal(code, 'TRANSFER_ENCODING_UNSUPPORTED');
  assert.match(message, /^Transfer-Encoding "gzip" /);
});

test('bytes that are no HTTP are answered in the shape of every error', async (t) => {
  const rest = await Rest.start(t);
  const received = await rest.raw('NONSENSE\r\n\r\n');
  assert.match(received, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.equal(errorOf(JSON.parse(received.slice(received.indexOf('{')))).code, 'HTTP_MALFORMED');
});

test('a request that never ends is cut off', async (t) => {
  const rest = await Rest.start(t, { headersTimeoutMs: 100, receiveTimeoutMs: 200 });
  assert.match(await rest.raw('GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: '), /^HTTP\/1\.1 408 /);
  const body = await rest.raw(
    'PUT /connectors/b/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{',
  );
  assert.match(body, /^HTTP\/1\.1 408 /);
  assert.equal(rest.log.filter(({ level }) => level === 'error').length, 0);
});
