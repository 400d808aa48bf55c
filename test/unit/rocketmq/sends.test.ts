import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RemotingError, type RemotingOptions } from '#troupe/log/rocketmq/remoting/client.js';
import type { LogErrorCode } from '#troupe/log/log.js';
import { timeLeft } from '#troupe/log/rocketmq/remoting/deadlines.js';
import { letPass, until } from '../../support/wait.js';
import { answerRoute, FakeCluster, TOPIC, type Handler } from './fake-cluster.js';
import { FakeServer, type Received } from './fake-server.js';

/** Longer than any test takes. */
const DEADLINE_MS = 60_000;
const clusters: FakeCluster[] = [];
after(() => Promise.all(clusters.map((cluster) => cluster.stop())));

async function start(handle: Handler, options: Partial<RemotingOptions> = {}): Promise<FakeCluster> {
  const cluster = await FakeCluster.start(handle, options);
  clusters.push(cluster);
  return cluster;
}

/** A broker that answers nothing; `arrived` resolves with the first request. */
async function startSilent(
  options: Partial<RemotingOptions>,
): Promise<{ cluster: FakeCluster; arrived: Promise<void> }> {
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  return { cluster: await start(() => arrive(), options), arrived };
}

function send({ client }: FakeCluster, { broker = 'a', queueId = 1, bytes = 10 } = {}): Promise<number> {
  return client.sendBatch({
    topic: TOPIC,
    queue: { broker, queueId },
    body: Buffer.alloc(bytes, 1),
    count: 3,
  });
}

const fails =
  (code: LogErrorCode, refused: boolean) =>
  (error: unknown): boolean =>
    error instanceof RemotingError && error.code === code && error.refused === refused;

const stored = (request: Received, offset = 7): void =>
  request.answer(0, { fields: { queueOffset: String(offset) } });

test('a batch goes to its queue, and its first offset comes back', async () => {
  const cluster = await start((request) => stored(request, 12));
  assert.equal(await send(cluster), 12);
  const [request] = cluster.broker.received;
  assert.deepEqual(
    [request?.code, request?.fields['b'], request?.fields['e'], request?.body.length],
    [320, TOPIC, '1', 10],
  );
  // A default topic that exists would let the broker create an unknown topic.
  assert.equal(request?.fields['c'], TOPIC);
});

test('a busy broker is asked again', async () => {
  const cluster = await start((request) => {
    if (cluster.broker.received.length < 4) request.answer(cluster.broker.received.length === 2 ? 215 : 2);
    else stored(request);
  });
  assert.equal(await send(cluster), 7);
  assert.equal(cluster.broker.received.length, 4);
});

test('a broker that stays busy until the deadline took nothing', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  const cluster = await start(
    (request) => {
      now += 100_000;
      request.answer(2, { remark: '[OVERLOAD]' });
    },
    { deadlineMs: 600_000 },
  );
  await assert.rejects(send(cluster), fails('LOG_UNAVAILABLE', true));
  assert.equal(cluster.broker.received.length, 6);
});

test('a send whose outcome is unknown is not sent again', async () => {
  const outcomes: readonly (readonly [string, Handler, LogErrorCode])[] = [
    ['the connection is cut', (request) => request.cut(), 'LOG_UNAVAILABLE'],
    ['not on the disk in time', (request) => request.answer(10), 'LOG_UNAVAILABLE'],
    ['no replica', (request) => request.answer(11), 'LOG_UNAVAILABLE'],
    ['not on the replica in time', (request) => request.answer(12), 'LOG_UNAVAILABLE'],
    ['an error', (request) => request.answer(1, { remark: 'UNKNOWN_ERROR' }), 'LOG_IO'],
    ['stored, but where?', (request) => request.answer(0, { fields: { queueOffset: 'x' } }), 'LOG_IO'],
  ];
  for (const [name, handle, code] of outcomes) {
    const cluster = await start(handle);
    await assert.rejects(send(cluster), fails(code, false), name);
    assert.equal(cluster.broker.received.length, 1, name);
  }
});

test('nor is one that was not answered by the deadline', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { cluster, arrived } = await startSilent({ deadlineMs: DEADLINE_MS });
  const sent = assert.rejects(send(cluster), fails('LOG_UNAVAILABLE', false));
  await arrived;
  t.mock.timers.tick(DEADLINE_MS);
  await sent;
  assert.equal(cluster.broker.received.length, 1);
});

test('what the broker will never take is said at once, and what to do', async () => {
  const refusals: readonly (readonly [number, string, LogErrorCode, RegExp])[] = [
    [13, 'the message is illegal', 'LOG_BAD_REQUEST', /maxMessageSize/],
    [1, 'java.lang.RuntimeException: message body size exceeded', 'LOG_BAD_REQUEST', /maxMessageSize/],
    [14, "the broker's disk is full [CL: 0.95]", 'LOG_FULL', /Free space/],
    [16, 'sending is forbidden', 'LOG_BAD_REQUEST', /Grant/],
    [17, 'topic not exist\nSee https://example.com', 'LOG_UNKNOWN_TOPIC', /not exist\)\. Create/],
    [29, 'queueId is illegal', 'LOG_BAD_REQUEST', /queueId is illegal/],
  ];
  for (const [code, remark, expected, message] of refusals) {
    const cluster = await start((request) => request.answer(code, { remark }));
    await assert.rejects(send(cluster), (error) => {
      assert.ok(error instanceof RemotingError);
      assert.deepEqual([error.code, error.refused, error.responseCode], [expected, true, code]);
      assert.match(error.message, message);
      return true;
    });
    assert.equal(cluster.broker.received.length, 1);
  }
});

test('a queue, and a topic, that do not exist', async () => {
  const cluster = await start(stored);
  await assert.rejects(send(cluster, { queueId: 2 }), fails('LOG_UNKNOWN_QUEUE', true));
  const other = await start(stored);
  other.masters = null;
  await assert.rejects(send(other), fails('LOG_UNKNOWN_TOPIC', true));
});

test('a new master is found when the old one is gone', async () => {
  const cluster = await start(stored);
  await send(cluster);
  const next = await FakeServer.start((request) => stored(request, 99));
  await cluster.broker.stop();
  await until('the client notices', () => cluster.issues.some((issue) => issue.includes('ended')));
  // At first the name server knows of no other.
  const sent = send(cluster);
  await until('connecting fails', () => cluster.issues.some((issue) => issue.includes('cannot connect')));
  cluster.masters = { a: next.address };
  assert.equal(await sent, 99);
  await next.stop();
});

test('a broker that has lost its master for a while', async () => {
  const cluster = await start(stored);
  const { masters } = cluster;
  cluster.masters = { a: null };
  const sent = send(cluster);
  await until('the route is asked for again', () => cluster.nameServer.received.length > 1);
  cluster.masters = masters;
  assert.equal(await sent, 7);
});

test('a slave that was a master says so', async () => {
  const next = await FakeServer.start((request) => stored(request, 99));
  const cluster = await start((request) => {
    cluster.masters = { a: next.address };
    request.answer(501);
  });
  assert.equal(await send(cluster), 99);
  await next.stop();
});

test('sends beyond the budget wait until others are answered', async () => {
  const waiting: Received[] = [];
  const cluster = await start((request) => waiting.push(request), { maxInFlightBytes: 1000 });
  const sent = [1, 2, 3].map(() => send(cluster, { bytes: 600 }));
  for (let n = 0; n < 3; n += 1) {
    const next = await until('the next send arrives', () => waiting[n]);
    assert.equal(waiting.length, n + 1);
    stored(next, n);
  }
  assert.deepEqual(await Promise.all(sent), [0, 1, 2]);
});

test('a send that waits in vain for the budget took nothing, and gives its place back', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { cluster, arrived } = await startSilent({ maxInFlightBytes: 1000, deadlineMs: DEADLINE_MS });
  const first = assert.rejects(send(cluster, { bytes: 900 }), fails('LOG_UNAVAILABLE', false));
  await arrived;
  const second = assert.rejects(send(cluster, { bytes: 200 }), fails('LOG_UNAVAILABLE', true));
  t.mock.timers.tick(DEADLINE_MS);
  await Promise.all([first, second]);
  t.mock.timers.reset();
  const last = send(cluster, { bytes: 1000 });
  stored(await until('it arrives', () => cluster.broker.received[1]));
  assert.equal(await last, 7);
});

test('closing fails what is on its way and what comes after', async () => {
  const cluster = await start(() => undefined, { maxInFlightBytes: 10 });
  const sent = [1, 2].map(() => assert.rejects(send(cluster), fails('LOG_CLOSED', false)));
  await until('it arrives', () => cluster.broker.received.length === 1);
  await cluster.client.close();
  await Promise.all(sent);
  await assert.rejects(send(cluster), fails('LOG_CLOSED', false));
});

test('a send whose broker is not found, or found too late, was not sent', async () => {
  const deadlineMs = 300;
  const silent = await FakeServer.start(() => undefined);
  const late = await FakeServer.start((request) => {
    void letPass(deadlineMs).then(() => answerRoute(request, cluster.masters));
  });
  const cluster = await start(stored, { deadlineMs, namesrvAddr: [late.address] });
  const lost = await start(stored, { deadlineMs, namesrvAddr: [silent.address] });
  for (const each of [cluster, lost]) {
    await assert.rejects(send(each), fails('LOG_UNAVAILABLE', true));
    assert.equal(each.broker.received.length, 0);
  }
  await Promise.all([silent.stop(), late.stop()]);
});

test('what is left of the time is a refusal when it is too little', () => {
  const now = performance.now();
  assert.ok(timeLeft(60_000, now - 30_000) > 6000);
  assert.throws(() => timeLeft(60_000, now - 55_000), fails('LOG_UNAVAILABLE', true));
  assert.throws(() => timeLeft(60_000, now - 70_000), fails('LOG_UNAVAILABLE', true));
});
