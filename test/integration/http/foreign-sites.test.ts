import assert from 'node:assert/strict';
import test from 'node:test';

import { errorOf, Rest } from './client.js';

interface Row {
  readonly situation: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Code of the refusal; absent: served. */
  readonly refused?: 'HOST_NOT_ALLOWED' | 'FOREIGN_SITE';
  readonly method?: string;
  readonly path?: string;
}

const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/140.0' };

const ROWS: readonly Row[] = [
  {
    situation: 'a name that was rebound to this node',
    headers: { host: 'evil.example:8082' },
    refused: 'HOST_NOT_ALLOWED',
  },
  {
    situation: 'a name that ends like an allowed one',
    headers: { host: 'notlocalhost' },
    refused: 'HOST_NOT_ALLOWED',
  },
  {
    situation: 'a name that starts like loopback',
    headers: { host: '127.0.0.1.evil.example' },
    refused: 'HOST_NOT_ALLOWED',
  },
  {
    situation: 'an address that is not this node',
    headers: { host: '10.1.2.3:8082' },
    refused: 'HOST_NOT_ALLOWED',
  },
  { situation: 'localhost in capitals with a final dot', headers: { host: 'LOCALHOST.:1' } },
  { situation: 'another address of loopback', headers: { host: '127.0.0.2' } },
  { situation: 'loopback of IPv6', headers: { host: '[::1]:8082' } },
  { situation: 'an allowed name', headers: { host: 'connect.internal:80' } },
  {
    situation: 'another site posts a form',
    headers: { origin: 'http://evil.example' },
    refused: 'FOREIGN_SITE',
  },
  {
    situation: 'another port of this machine',
    headers: { host: 'localhost:8082', origin: 'http://localhost:3000' },
    refused: 'FOREIGN_SITE',
  },
  { situation: 'a page from a file or a sandbox', headers: { origin: 'null' }, refused: 'FOREIGN_SITE' },
  { situation: 'an origin that is no URL', headers: { origin: 'evil' }, refused: 'FOREIGN_SITE' },
  { situation: 'a page of this node', headers: { host: 'localhost:8082', origin: 'http://localhost:8082' } },
  {
    situation: 'a page of this node behind TLS',
    headers: { host: 'connect.internal', origin: 'https://connect.internal' },
  },
  {
    situation: 'a picture on another site',
    headers: { 'sec-fetch-site': 'cross-site' },
    refused: 'FOREIGN_SITE',
  },
  {
    situation: 'another name of the same site',
    headers: { 'sec-fetch-site': 'same-site' },
    refused: 'FOREIGN_SITE',
  },
  { situation: 'a page of this node fetches', headers: { 'sec-fetch-site': 'same-origin' } },
  { situation: 'an address typed by the user', headers: { ...BROWSER, 'sec-fetch-site': 'none' } },
  { situation: 'an old browser reads', headers: BROWSER },
  {
    situation: 'an old browser deletes by a GET',
    headers: BROWSER,
    path: '/connectors/stopAll',
    refused: 'FOREIGN_SITE',
  },
  {
    situation: 'an old browser writes by a GET',
    headers: BROWSER,
    path: '/connectors/a?config=%7B%7D',
    refused: 'FOREIGN_SITE',
  },
  {
    situation: 'a user types a GET that deletes',
    headers: { ...BROWSER, 'sec-fetch-site': 'none' },
    path: '/connectors/stopAll',
  },
  {
    situation: 'a preflight of another site',
    headers: { origin: 'http://evil.example' },
    method: 'OPTIONS',
    refused: 'FOREIGN_SITE',
  },
];

for (const { situation, headers, refused, method = 'GET', path = '/connectors' } of ROWS) {
  test(`${situation} is ${refused ?? 'served'}`, async (t) => {
    const rest = await Rest.start(t, { allowedHosts: ['Connect.Internal'] });
    const answer = await rest.send(method, path, { headers });
    assert.equal(answer.status, refused === undefined ? 200 : 403, answer.text);
    if (refused !== undefined) assert.equal(errorOf(answer.json).code, refused);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  });
}

test('a request that names no host is refused', async (t) => {
  const rest = await Rest.start(t);
  assert.match(await rest.raw('GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 403 [^]*HOST_NOT_ALLOWED/);
  assert.match(await rest.raw('GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 403 /);
});

test('a load balancer may ask for the health without a host, or by an address that is not ours', async (t) => {
  const rest = await Rest.start(t);
  for (const request of [
    'GET /health HTTP/1.0\r\n\r\n',
    'HEAD /health HTTP/1.0\r\n\r\n',
    'GET /health/ HTTP/1.0\r\n\r\n',
    'GET /health HTTP/1.1\r\nHost: 10.9.8.7:8082\r\nConnection: close\r\n\r\n',
    'GET /health HTTP/1.1\r\nHost: troupe.internal\r\nUser-Agent: kube-probe/1.33\r\nConnection: close\r\n\r\n',
  ])
    assert.match(await rest.raw(request), /^HTTP\/1\.1 200 /, request);
  for (const target of ['/', '/health', '*'])
    assert.match(await rest.raw(`OPTIONS ${target} HTTP/1.0\r\n\r\n`), /^HTTP\/1\.1 204 /, target);
  for (const request of [
    'GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n',
    'POST /health HTTP/1.0\r\n\r\n',
    'GET /healthy HTTP/1.0\r\n\r\n',
  ])
    assert.match(await rest.raw(request), /^HTTP\/1\.1 403 /, request);
});

test('a host in the request line counts, and two hosts are none', async (t) => {
  const rest = await Rest.start(t);
  const get = (target: string, ...headers: string[]): Promise<string> =>
    rest.raw([`GET ${target} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n'));
  assert.match(await get('http://evil.example/connectors', 'Host: localhost'), /^HTTP\/1\.1 403 /);
  assert.match(await get('http://localhost:8082/connectors'), /^HTTP\/1\.1 200 /);
  const twice = await get('/connectors', 'Host: localhost', 'host: evil.example');
  assert.match(twice, /^HTTP\/1\.1 400 [^]*"code":"HTTP_MALFORMED"/);
});

test('a node that listens on every address is reached by the address the connection came to, and no other name', async (t) => {
  const rest = await Rest.start(t, { host: '0.0.0.0' });
  assert.equal((await rest.send('GET', '/')).status, 200);
  assert.equal((await rest.send('GET', '/', { headers: { host: '0.0.0.0' } })).status, 403);
  assert.equal((await rest.send('GET', '/', { headers: { host: 'evil.example' } })).status, 403);
});
