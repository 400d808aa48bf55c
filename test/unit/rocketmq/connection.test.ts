import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { Connection, openSocket, type ConnectionEnd } from '#troupe/log/rocketmq/remoting/connection.js';
import { RemotingError } from '#troupe/log/rocketmq/remoting/errors.js';
import type { Answer, Question } from '#troupe/log/rocketmq/remoting/frame.js';
import { until } from '../../support/wait.js';
import { FakeServer, frameBytes, responseBytes, type Received } from './fake-server.js';

/** Longer than any test takes. */
const LONG_MS = 60_000;
const GO_AWAY = 1500;
/** Made for this test: nobody trusts them. */
const KEY = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEINfETI3DEB5SaC1AmufQBYcETiIWHFBsvy1W9d1gbMs8oAoGCCqGSM49
AwEHoUQDQgAEcTfdckE5gEsNqMxblI+xpLAr3xsXqqw+E5PERnUaK6HR/4eBHjDo
UCNrPCU2RPCdXzX35efT4almY17gYeq+fA==
-----END EC PRIVATE KEY-----
`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIURu85P+kI4YbZZyUgod5UN3BB0GEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE5MzcxNVoYDzIxMjYxMDMx
MTkzNzE1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARxN91yQTmASw2ozFuUj7GksCvfGxeqrD4Tk8RGdRorodH/h4EeMOhQ
I2s8JTZE8J1fNffl59PhqWZjXuBh6r58o1MwUTAdBgNVHQ4EFgQU6e5s9jW8CH0l
2qTmy0AoVv+5XNUwHwYDVR0jBBgwFoAU6e5s9jW8CH0l2qTmy0AoVv+5XNUwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBxrvWy3VERLRvhMHugEziS
8IOS+YhWREH8kQMr8f/T0AIgP/e4U/V+24pekbYxQSYrtxDnA5sVTzg4L8N4AQOd
q3k=
-----END CERTIFICATE-----
`;
const stops: (() => Promise<void>)[] = [];
after(() => Promise.all(stops.map((stop) => stop())));

async function setUp(handle: (request: Received) => void) {
  const server = await FakeServer.start(handle);
  stops.push(() => server.stop());
  const ends: ConnectionEnd[] = [];
  const socket = await openSocket(server.address, null, LONG_MS);
  const connection = new Connection(server.address, socket, (end) => ends.push(end));
  return { server, connection, ends };
}

function ask(connection: Connection, n = 0, timeoutMs = LONG_MS, signal?: AbortSignal): Promise<Answer> {
  return connection.request(question(n), { timeoutMs, ...(signal !== undefined && { signal }) });
}

function question(n: number | string): Question {
  return { code: 11, fields: { n: String(n) } };
}

/** Fails as a request whose outcome is unknown. */
const unanswered = (error: unknown): boolean =>
  error instanceof RemotingError && error.code === 'LOG_UNAVAILABLE' && !error.refused;

test('answers in another order reach who asked', async () => {
  const waiting: Received[] = [];
  const { connection } = await setUp((request) => {
    waiting.push(request);
    if (waiting.length === 50) for (const each of waiting.reverse()) each.answer(0, { fields: each.fields });
  });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => ask(connection, n)));
  assert.deepEqual(
    answers.map(({ fields }) => fields['n']),
    Array.from({ length: 50 }, (_, n) => String(n)),
  );
});

test('a connection that is cut in the middle of an answer fails all that wait, once', async () => {
  const { connection, ends } = await setUp((request) => {
    if (request.fields['n'] === '2')
      request.cut(responseBytes(request.opaque, 0, { body: 'x'.repeat(100) }).subarray(0, 50));
  });
  const asked = [0, 1, 2].map((n) => assert.rejects(ask(connection, n), unanswered));
  await Promise.all(asked);
  assert.equal(ends.length, 1);
  await assert.rejects(ask(connection), (error) => error instanceof RemotingError && error.refused);
});

test('a server that speaks something else ends the connection', async () => {
  const { connection, ends } = await setUp((request) => request.write(Buffer.from('SSH-2.0-server\r\n')));
  await assert.rejects(ask(connection), /does not speak RocketMQ's protocol/);
  assert.match(String(ends[0]?.error), /does not speak/);
});

test('a server that never answers costs the deadline, and the connection', async () => {
  const { connection, ends } = await setUp(() => undefined);
  const other = assert.rejects(ask(connection), unanswered);
  await assert.rejects(ask(connection, 1, 50), unanswered);
  await other;
  assert.match(String(ends[0]?.error), /silent/);
});

test('an answer that comes late, or to nobody, is dropped and harms no other', async (t) => {
  const late: Received[] = [];
  const { connection, ends } = await setUp((request) => {
    if (request.fields['n'] === 'late') late.push(request);
    else request.answer(0, { fields: request.fields });
  });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const slow = assert.rejects(connection.request(question('late'), { timeoutMs: 1000 }), unanswered);
  // The connection is alive: something was received after the slow request was sent.
  await ask(connection, 1);
  t.mock.timers.tick(1000);
  await slow;
  assert.equal(late.length, 1);
  late[0]?.answer(0, { fields: { n: 'late' } });
  late[0]?.write(responseBytes(999_999, 0));
  assert.equal((await ask(connection, 2)).fields['n'], '2');
  assert.equal(ends.length, 0);
});

test('aborting leaves the connection to the others', async () => {
  const { server, connection } = await setUp((request) => {
    if (request.fields['n'] !== '1') request.answer(0, { fields: request.fields });
  });
  const controller = new AbortController();
  const aborted = assert.rejects(ask(connection, 1, LONG_MS, controller.signal), /enough/);
  await until('it arrives', () => server.received.length === 1);
  controller.abort(new Error('enough'));
  await aborted;
  assert.equal((await ask(connection, 2)).fields['n'], '2');
  await assert.rejects(ask(connection, 3, LONG_MS, controller.signal), /enough/);
  // It would have come before this one.
  assert.equal((await ask(connection, 4)).fields['n'], '4');
  assert.equal(server.received.length, 3);
});

test('what may not be sent any more is not sent, and is cut off with its connection when it is on its way', async () => {
  const { server, connection, ends } = await setUp((request) => {
    if (request.fields['n'] !== '1') request.answer(0, { fields: request.fields });
  });
  let holds = true;
  const over = new AbortController();
  const options = { timeoutMs: LONG_MS, permit: { holds: () => holds, signal: over.signal } };
  assert.equal((await connection.request(question(0), options)).fields['n'], '0');
  const cutOff = assert.rejects(connection.request(question(1), options), unanswered);
  await until('it arrives', () => server.received.length === 2);
  // A process that was suspended comes to this line before it is told.
  holds = false;
  await assert.rejects(
    connection.request(question(2), options),
    (error) => error instanceof RemotingError && error.refused,
  );
  assert.equal((await ask(connection, 3)).fields['n'], '3');
  assert.equal(server.received.length, 3);
  assert.equal(ends.length, 0);
  over.abort();
  await cutOff;
  await until('the connection is closed', () => server.openConnections === 0);
  assert.equal(ends.length, 1);
});

test('what is on its way over TLS is cut off as well, with what buffers still hold', async () => {
  let arrived = false;
  const server = createTlsServer({ key: KEY, cert: CERTIFICATE }, (socket) => {
    socket.on('error', () => undefined).on('data', () => (arrived = true));
  });
  let end: string | null = null;
  const relay = createServer((client) => {
    const upstream = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('end', () => (end ??= 'closed')).on('error', ({ message }) => (end ??= message));
    client.on('close', () => upstream.destroy());
    client.pipe(upstream.on('error', () => undefined)).pipe(client);
  });
  for (const each of [server, relay])
    await new Promise<void>((resolve) => each.listen(0, '127.0.0.1', resolve));
  const address = `127.0.0.1:${(relay.address() as AddressInfo).port}`;
  const link = await openSocket(address, { rejectUnauthorized: false }, LONG_MS);
  const connection = new Connection(address, link, () => undefined);
  const over = new AbortController();
  const permit = { holds: () => true, signal: over.signal };
  const cutOff = assert.rejects(connection.request(question(0), { timeoutMs: LONG_MS, permit }), unanswered);
  await until('it arrives', () => arrived);
  over.abort();
  await cutOff;
  assert.match(await until('the connection has ended', () => end), /ECONNRESET/);
  for (const each of [server, relay]) await new Promise((resolve) => each.close(resolve));
});

test('a permit that is over after the answer harms no other request', async () => {
  const { connection, ends } = await setUp((request) => request.answer(0));
  const over = new AbortController();
  await connection.request(question(0), {
    timeoutMs: LONG_MS,
    permit: { holds: () => true, signal: over.signal },
  });
  over.abort();
  await ask(connection);
  assert.equal(ends.length, 0);
});

test('requests of the server: one-way ones are ignored, others answered', async () => {
  const { server, connection } = await setUp((request) => {
    request.write(frameBytes({ code: 40, opaque: 7, flag: 2, extFields: { consumerGroup: 'g' } }));
    request.write(frameBytes({ code: 221, opaque: 8, flag: 0 }));
    request.answer(0);
  });
  await ask(connection);
  await until('the client answers', () => server.responses.length > 0);
  assert.deepEqual(
    server.responses.map(({ opaque, code }) => [opaque, code]),
    [[8, 3]],
  );
});

test('a server that shuts down gets no more requests, and may answer those it has', async () => {
  let first: Received | null = null;
  const { server, connection, ends } = await setUp((request) => {
    if (first === null) first = request;
    else request.answer(GO_AWAY);
  });
  const slow = ask(connection, 1);
  const waiting = await until('the first request arrives', () => first);
  assert.equal((await ask(connection, 2)).code, GO_AWAY);
  await assert.rejects(ask(connection, 3), (error) => error instanceof RemotingError && error.refused);
  assert.deepEqual(ends, [{ error: null }]);
  waiting.answer(0);
  assert.equal((await slow).code, 0);
  await until('the connection is closed', () => server.openConnections === 0);
  assert.equal(ends.length, 1);
});

test('what is too large, or too much at once, is refused before it is sent', async () => {
  const { server, connection } = await setUp((request) => {
    if (request.fields['n'] === '1') request.answer(0);
  });
  const body = Buffer.alloc(16 * 1024 * 1024);
  await assert.rejects(
    connection.request({ code: 320, fields: {}, body }, { timeoutMs: LONG_MS }),
    (error) => error instanceof RemotingError && error.code === 'LOG_BAD_REQUEST' && error.refused,
  );
  await ask(connection, 1);
  assert.deepEqual(
    server.received.map(({ code }) => code),
    [11],
  );
  const asked = Array.from({ length: 8193 }, () =>
    ask(connection).then(
      () => null,
      (error: unknown) => error,
    ),
  );
  const last = await asked.at(-1);
  assert.ok(last instanceof RemotingError && last.refused && last.code === 'LOG_UNAVAILABLE');
  connection.close(new RemotingError('LOG_CLOSED', 'closed', { refused: false }));
  const failures = await Promise.all(asked);
  assert.equal(
    failures.filter((error) => error instanceof RemotingError && error.code === 'LOG_CLOSED').length,
    8192,
  );
});

test('an address that is none is refused', async () => {
  for (const address of ['localhost', 'localhost:', ':9876', '127.0.0.1:99999', 'a:b'])
    await assert.rejects(
      openSocket(address, null, LONG_MS),
      (error) => error instanceof RemotingError && error.code === 'LOG_BAD_REQUEST',
    );
});
