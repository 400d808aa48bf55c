import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RemotingClient, RemotingError } from '#troupe/log/rocketmq/remoting/client.js';
import { freePort } from '../../support/ports.js';
import { until } from '../../support/wait.js';
import { answerRoute, FakeCluster, QUEUES, TOPIC } from './fake-cluster.js';
import { FakeServer, type Received } from './fake-server.js';

const stops: (() => Promise<void>)[] = [];
after(() => Promise.all(stops.map((stop) => stop())));

async function startCluster(): Promise<FakeCluster> {
  const cluster = await FakeCluster.start((request) => request.answer(0, { fields: { offset: '3' } }));
  stops.push(() => cluster.stop());
  return cluster;
}

async function startServer(handle: (request: Received) => void): Promise<FakeServer> {
  const server = await FakeServer.start(handle);
  stops.push(() => server.stop());
  return server;
}

function clientOf(...namesrvAddr: string[]): { client: RemotingClient; issues: string[] } {
  const issues: string[] = [];
  const client = new RemotingClient({
    namesrvAddr,
    acl: null,
    tls: null,
    deadlineMs: 20_000,
    maxInFlightBytes: 1000,
    onIssue: (message) => issues.push(message),
  });
  stops.push(() => client.close());
  return { client, issues };
}

const queue = { broker: 'a', queueId: 0 };

test('queues of several brokers are in the order of their names', async () => {
  const cluster = await startCluster();
  cluster.masters = {
    'broker-c': null,
    'broker-a': cluster.broker.address,
    'broker-b': cluster.broker.address,
  };
  const queues = await cluster.client.queues(TOPIC);
  assert.deepEqual(
    queues?.map(({ broker, queueId }) => `${broker}/${queueId}`),
    ['broker-a/0', 'broker-a/1', 'broker-b/0', 'broker-b/1', 'broker-c/0', 'broker-c/1'],
  );
  assert.equal(queues.length, 3 * QUEUES);
});

test('a route is asked for once by all that need it, and then kept', async () => {
  const cluster = await startCluster();
  await Promise.all(Array.from({ length: 20 }, () => cluster.client.maxOffset(TOPIC, queue)));
  assert.equal(cluster.nameServer.received.length, 1);
  assert.equal(cluster.broker.connections, 1);
  await cluster.client.queues(TOPIC, { fresh: true });
  assert.equal(cluster.nameServer.received.length, 2);
});

test('a name server that is away, silent or ignorant is passed over', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const broker = await startServer((request) => request.answer(0, { fields: { offset: '3' } }));
  const away = `127.0.0.1:${await freePort()}`;
  // The time passes that it has to answer, and nobody else's.
  const silent = await startServer(() => t.mock.timers.tick(3000));
  const ignorant = await startServer((request) => answerRoute(request, null));
  const good = await startServer((request) => answerRoute(request, { a: broker.address }));
  for (const other of [away, silent.address, ignorant.address]) {
    const { client } = clientOf(other, good.address);
    assert.equal(await client.maxOffset(TOPIC, queue), 3);
  }
  assert.deepEqual([silent.connections, ignorant.connections], [1, 1]);
});

test('a topic that no name server knows', async () => {
  const servers = await Promise.all([1, 2].map(() => startServer((request) => answerRoute(request, null))));
  const { client } = clientOf(...servers.map(({ address }) => address));
  assert.equal(await client.queues(TOPIC), null);
  await assert.rejects(
    client.maxOffset(TOPIC, queue),
    (error) => error instanceof RemotingError && error.code === 'LOG_UNKNOWN_TOPIC',
  );
});

test('a name server that was restarted, and knows nothing yet, does not make topics unknown', async () => {
  const cluster = await startCluster();
  const { masters } = cluster;
  const asking = async (brokers: readonly string[], topic: string): Promise<void> => {
    cluster.masters = null;
    cluster.brokers = brokers;
    const asked = cluster.nameServer.received.length;
    const fresh = cluster.client.queues(topic, { fresh: true });
    await until('it was asked twice', () => cluster.nameServer.received.length >= asked + 4);
    assert.equal(await cluster.client.maxOffset(TOPIC, queue), 3);
    cluster.masters = masters;
    assert.equal((await fresh)?.length, QUEUES);
  };
  assert.ok(await cluster.client.queues(TOPIC));
  await asking([], TOPIC);
  await asking(['b'], TOPIC);
  await asking([], 'another');
});

test('a doubtful answer of the broker has the route asked for anew, and the one known used when that fails', async () => {
  let busy = false;
  const cluster = await FakeCluster.start((request) => {
    request.answer(busy ? 2 : 0, { fields: { offset: '3' } });
    busy = false;
  });
  stops.push(() => cluster.stop());
  assert.ok(await cluster.client.queues(TOPIC));
  cluster.masters = null;
  cluster.brokers = [];
  const asked = cluster.nameServer.received.length;
  await until('the route is asked for', async () => {
    busy = true;
    assert.equal(await cluster.client.maxOffset(TOPIC, queue), 3);
    return cluster.nameServer.received.length > asked;
  });
  assert.ok(cluster.issues.some((issue) => issue.includes('the one known is used')));
});

test('a topic that was deleted is unknown as soon as its broker says so', async () => {
  const cluster = await FakeCluster.start((request) => request.answer(17));
  stops.push(() => cluster.stop());
  assert.ok(await cluster.client.queues(TOPIC));
  cluster.masters = null;
  await assert.rejects(
    cluster.client.maxOffset(TOPIC, queue),
    (error) => error instanceof RemotingError && error.code === 'LOG_UNKNOWN_TOPIC',
  );
  assert.equal(await cluster.client.queues(TOPIC), null);
});

test('a server that is away is not stormed, and is found when it comes back', async () => {
  const port = await freePort();
  const { client, issues } = clientOf(`127.0.0.1:${port}`);
  const asked = Promise.all(Array.from({ length: 200 }, (_, i) => client.queues(`topic-${i}`)));
  await until('it was tried several times', () => issues.length >= 6);
  // One attempt at a time, whoever asks: it was not tried by each of the 200.
  assert.ok(issues.length < 10, `${issues.length} attempts`);
  const server = await FakeServer.start((request) => answerRoute(request, null), port);
  stops.push(() => server.stop());
  assert.ok((await asked).every((queues) => queues === null));
  assert.equal(server.connections, 1);
});

test('an answer that is no route is said to be none', async () => {
  for (const body of ['', '<html>', '[]', '{"queueDatas":[{"brokerName":7}],"brokerDatas":[]}']) {
    const server = await startServer((request) => request.answer(0, { body }));
    await assert.rejects(clientOf(server.address).client.queues(TOPIC), /not what RocketMQ answers/);
  }
});

test('without a name server there is no client', () => {
  assert.throws(() => clientOf(), /namesrvAddr/);
});
