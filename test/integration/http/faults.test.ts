import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import test from 'node:test';

import { createApp } from '#troupe/http/app.js';
import type { HttpLog } from '#troupe/http/context.js';
import { RuntimeFailure } from '#troupe/http/runtime.js';
import { startServer } from '#troupe/http/server.js';
import { choosePort } from '#troupe/supervisor/free-port.js';
import { errorOf, Rest } from './client.js';
import { InMemoryRuntime } from './in-memory-runtime.js';

const SILENT: HttpLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What the runtime fails with → what is answered. */
const FAILURES: readonly (readonly [failure: string, status: number, code: string])[] = [
  ['ACTOR_DOWN', 503, 'ACTOR_DOWN'],
  ['MAILBOX_FULL', 503, 'MAILBOX_FULL'],
  ['LOG_FULL', 503, 'LOG_FULL'],
  ['LOG_BUSY', 503, 'LOG_UNAVAILABLE'],
  ['LOG_UNAVAILABLE', 503, 'LOG_UNAVAILABLE'],
  ['LOG_FENCED', 503, 'LOG_UNAVAILABLE'],
  ['LOG_CORRUPT', 503, 'LOG_UNAVAILABLE'],
  ['LOG_BAD_REQUEST', 500, 'LOG_REFUSED'],
  ['SUBMIT_BUSY', 503, 'MAILBOX_FULL'],
  ['SUBMIT_STOPPED', 503, 'ACTOR_DOWN'],
  ['SUBMIT_OVERTAKEN', 503, 'ACTOR_DOWN'],
  ['VERSION_CONFLICT', 409, 'VERSION_CONFLICT'],
  ['PLANNING_FAILED', 500, 'PLANNING_FAILED'],
  ['PLANNING_TIMEOUT', 504, 'PLANNING_TIMEOUT'],
  ['PLANNING_OUT_OF_MEMORY', 500, 'PLANNING_OUT_OF_MEMORY'],
  ['ASK_TIMEOUT', 500, 'REQUEST_TIMEOUT'],
  ['REMOTE_ERROR', 500, 'INTERNAL'],
];

for (const [failure, status, code] of FAILURES) {
  test(`${failure} of the runtime is answered ${status} ${code} by every route`, async (t) => {
    const rest = await Rest.start(t);
    // Not all of these routes can be told of a conflict, or of a plan.
    rest.isDescribed = status !== 409 && status !== 504;
    rest.runtime.before = () => {
      throw new RuntimeFailure(failure, 'what the actor said');
    };
    const config = { 'connector.class': 'x' };
    for (const answer of [
      await rest.send('GET', '/connectors'),
      await rest.send('GET', '/connectors/a/status'),
      await rest.send('GET', '/supervisor/tree'),
      await rest.send('POST', '/connectors', { body: { name: 'a', config } }),
      await rest.send('PUT', '/connectors/a/config', { body: config }),
      await rest.send('PUT', '/connectors/a/pause'),
      await rest.send('POST', '/connectors/a/restart'),
      await rest.send('DELETE', '/connectors/a'),
    ]) {
      const error = errorOf(answer.json);
      assert.deepEqual([answer.status, error.code], [status, code]);
      assert.equal(answer.headers['retry-after'] !== undefined, status === 503);
      if (status !== 500) assert.equal(error.message, 'what the actor said');
    }
    const old = await rest.send('GET', '/connectors/a/stop');
    assert.equal(old.status, status);
  });
}

test('a code that is the name of something every object has is as unknown as any other', async (t) => {
  const rest = await Rest.start(t);
  rest.runtime.before = () => {
    throw new RuntimeFailure('constructor', 'what the actor said');
  };
  const answer = await rest.send('GET', '/connectors');
  assert.deepEqual([answer.status, errorOf(answer.json).code], [500, 'INTERNAL']);
});

test("an error with a code of the plugin's own is told, and is not the node's", async (t) => {
  const rest = await Rest.start(t);
  rest.runtime.before = (what) => {
    if (what === 'validate' || what === 'put') throw new RuntimeFailure('NO_DATABASE', 'cannot reach db-1');
  };
  for (const path of ['/connectors/b/config', '/connector-plugins/LinesSource/config/validate']) {
    const error = errorOf((await rest.send('PUT', path, { body: {} })).json);
    assert.deepEqual([error.code, error.message], ['PLANNING_FAILED', 'NO_DATABASE: cannot reach db-1']);
  }
});

test('a plugin that is not clear is told so', async (t) => {
  const rest = await Rest.start(t);
  for (const [failure, status, code] of [
    ['PLUGIN_AMBIGUOUS', 400, 'PLUGIN_AMBIGUOUS'],
    ['PLUGIN_VERSION_NOT_FOUND', 400, 'PLUGIN_VERSION_NOT_FOUND'],
    ['BAD_CONFIG', 400, 'CONFIG_INVALID'],
  ] as const) {
    rest.runtime.before = () => {
      throw new RuntimeFailure(failure, 'what the actor said');
    };
    const { error_code: told, ...error } = errorOf(
      (await rest.send('GET', '/connector-plugins/x/config')).json,
    );
    assert.deepEqual([told, error.code, error.message], [status, code, 'what the actor said']);
  }
});

test('an unforeseen fault tells the client nothing and the log everything', async (t) => {
  const rest = await Rest.start(t);
  rest.runtime.before = () => {
    throw new TypeError('secret detail');
  };
  const answer = await rest.send('GET', '/connectors', { headers: { 'x-request-id': 'my-id' } });
  assert.equal(errorOf(answer.json).code, 'INTERNAL');
  assert.doesNotMatch(answer.text, /secret detail/);
  const line = rest.log.find(({ level }) => level === 'error');
  assert.ok(line !== undefined && 'err' in line.fields && line.fields.err instanceof TypeError);
  assert.ok('requestId' in line.fields);
  assert.equal(line.fields.requestId, 'my-id');
  assert.equal(answer.headers['x-request-id'], 'my-id');
});

test('health tells starting, unhealthy and what keeps it from answering', async (t) => {
  const rest = await Rest.start(t);
  rest.runtime.healthNow = { status: 'starting', detail: 'Not up yet: discovery.' };
  const starting = await rest.send('GET', '/health');
  assert.equal(starting.status, 503);
  assert.deepEqual(starting.json, {
    status: 'starting',
    message: 'Worker is still starting up. Not up yet: discovery.',
  });
  rest.runtime.before = () => {
    throw new RuntimeFailure('ACTOR_DOWN', 'config-sync is being restarted');
  };
  const unhealthy = await rest.send('GET', '/health');
  assert.equal(unhealthy.status, 500);
  assert.match(unhealthy.text, /"status":"unhealthy".*config-sync is being restarted/);
});

/** Holds up every request until told. */
function hold(runtime: InMemoryRuntime): { readonly waiting: () => number; readonly release: () => void } {
  let waiting = 0;
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  runtime.before = () => {
    waiting += 1;
    return gate;
  };
  return { waiting: () => waiting, release };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'the condition was not met within 5 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a request that takes too long is answered, and its late outcome harms nobody', async (t) => {
  const rest = await Rest.start(t, { requestTimeoutMs: 50 });
  const { release } = hold(rest.runtime);
  const answer = await rest.send('GET', '/connectors');
  assert.equal(answer.status, 500);
  assert.equal(errorOf(answer.json).code, 'REQUEST_TIMEOUT');
  assert.match(answer.text, /Request timed out\./);
  release();
  rest.runtime.before = () => undefined;
  assert.equal((await rest.send('GET', '/connectors')).status, 200);
});

test('beyond the bound requests are refused, and served again when there is room', async (t) => {
  const rest = await Rest.start(t, { maxConcurrentRequests: 2 });
  const { waiting, release } = hold(rest.runtime);
  const held = [rest.send('GET', '/connectors'), rest.send('GET', '/connectors')];
  await until(() => waiting() === 2);
  const refused = await rest.send('GET', '/connectors');
  assert.equal(refused.status, 503);
  assert.equal(errorOf(refused.json).code, 'TOO_BUSY');
  assert.equal(refused.headers['retry-after'], '1');
  release();
  for (const answer of await Promise.all(held)) assert.equal(answer.status, 200);
  assert.equal((await rest.send('GET', '/connectors')).status, 200);
});

test('requests of a connection that closes before their answers give their places back', async (t) => {
  const rest = await Rest.start(t, { maxConcurrentRequests: 2 });
  const { waiting, release } = hold(rest.runtime);
  const socket = connect(rest.port, '127.0.0.1');
  socket.write('GET /connectors HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(2));
  await until(() => waiting() === 2);
  assert.equal((await rest.send('GET', '/connectors')).status, 503);
  socket.destroy();
  rest.runtime.before = () => undefined;
  const deadline = performance.now() + 5_000;
  while ((await rest.send('GET', '/connectors')).status !== 200)
    assert.ok(performance.now() < deadline, 'the end of the connection was not noticed within 5 s');
  release();
  const again = hold(rest.runtime);
  const held = [rest.send('GET', '/connectors'), rest.send('GET', '/connectors')];
  await until(() => again.waiting() === 2);
  again.release();
  for (const answer of await Promise.all(held)) assert.equal(answer.status, 200);
});

test('many requests that wait in one connection are served without a warning of listeners', async (t) => {
  const rest = await Rest.start(t);
  let warned = 0;
  const count = ({ name }: Error): void => {
    if (name === 'MaxListenersExceededWarning') warned += 1;
  };
  process.on('warning', count);
  t.after(() => process.off('warning', count));
  const one = 'GET /connectors HTTP/1.1\r\nHost: localhost\r\n';
  const received = await rest.raw(`${`${one}\r\n`.repeat(50)}${one}Connection: close\r\n\r\n`);
  assert.equal(received.match(/HTTP\/1\.1 200/g)?.length, 51);
  assert.equal(warned, 0);
});

test('a stop finishes what is being served and accepts nothing more', async (t) => {
  const rest = await Rest.start(t);
  const { waiting, release } = hold(rest.runtime);
  const held = rest.send('GET', '/connectors');
  await until(() => waiting() === 1);
  const stopped = rest.stop(10_000);
  await assert.rejects(rest.send('GET', '/'), { code: 'ECONNREFUSED' });
  release();
  const answer = await held;
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.connection, 'close');
  await stopped;
});

test('a request that arrives on an open connection during a stop is refused, and the connection closed', async (t) => {
  const options = {
    host: '127.0.0.1',
    allowedHosts: [],
    maxBodyBytes: 1,
    requestTimeoutMs: 1_000,
    maxConcurrentRequests: 1,
  };
  const app = createApp(new InMemoryRuntime(), { ...options, stopping: AbortSignal.abort() }, SILENT);
  const server = createServer((request, response) => void app.callback()(request, response)).listen(
    0,
    '127.0.0.1',
  );
  t.after(() => server.close());
  await once(server, 'listening');
  const response = await fetch(`http://127.0.0.1:${portOf(server)}/`);
  assert.equal(errorOf(await response.json()).code, 'SHUTTING_DOWN');
  assert.equal(response.headers.get('connection'), 'close');
});

test('a stop cuts off what is not finished within its grace', async (t) => {
  const rest = await Rest.start(t);
  const { waiting, release } = hold(rest.runtime);
  const held = rest.send('GET', '/connectors');
  await until(() => waiting() === 1);
  const refused = assert.rejects(held, { code: 'ECONNRESET' });
  await rest.stop(1);
  await refused;
  release();
});

test('a port in use is told with the key to change, alike before the start and by the server', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const host = '127.0.0.1';
  const port = portOf(other);
  const options = { host, port, allowedHosts: [], maxBodyBytes: 1, requestTimeoutMs: 1 };
  const message = `httpPort = ${port}: this port of 127.0.0.1 is in use by another program: set httpPort to a free one, or stop that program`;
  const told = { code: 'HTTP_PORT_IN_USE', message };
  await assert.rejects(startServer(new InMemoryRuntime(), options, SILENT), told);
  await assert.rejects(choosePort(host, port), told);
});

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('a request without a Host, or that expects something unknown, is answered in the shape of all', async (t) => {
  const rest = await Rest.start(t);
  const hostless = await rest.raw('GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(hostless, /^HTTP\/1\.1 403 [^]*"code":"HOST_NOT_ALLOWED"/);
  const expecting = 'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\nConnection: close\r\n\r\n';
  assert.match(await rest.raw(expecting), /^HTTP\/1\.1 200 /);
});
