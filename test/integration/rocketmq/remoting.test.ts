/** The client of the remoting protocol against a real RocketMQ: two brokers that flush, with ACL, without auto-creation of groups. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  RemotingClient,
  RemotingError,
  type BrokerQueue,
  type PullResult,
  type RemotingOptions,
} from '#troupe/log/rocketmq/remoting/client.js';
import type { LogErrorCode } from '#troupe/log/log.js';
import { requireService, rocketmqAvailable, startRocketMq, type RocketMq } from '../../support/rocketmq.js';
import { until } from '../../support/wait.js';

const ACL = { accessKey: 'troupe', secretKey: 'secret-12345' };
const GROUP = 'readers';
const first: BrokerQueue = { broker: 'broker-a', queueId: 0 };

function message(text: string): Buffer {
  const body = Buffer.from(text);
  const bytes = Buffer.alloc(22 + body.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(body.length, 16);
  body.copy(bytes, 20);
  return bytes;
}

/** Offset and text of stored messages. */
function stored(bytes: Buffer): (readonly [number, string])[] {
  const messages: (readonly [number, string])[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at)) {
    const length = bytes.readInt32BE(at + 84);
    messages.push([Number(bytes.readBigInt64BE(at + 20)), bytes.toString('utf8', at + 88, at + 88 + length)]);
  }
  return messages;
}

const fails =
  (code: LogErrorCode) =>
  (error: unknown): boolean =>
    error instanceof RemotingError && error.code === code;

describe('the remoting client', { skip: requireService(rocketmqAvailable()) }, () => {
  let rocketmq: RocketMq;
  let client: RemotingClient;
  const clients: RemotingClient[] = [];

  before(async () => {
    rocketmq = await startRocketMq({
      version: process.env['ROCKETMQ_VERSION'],
      brokers: 2,
      proxy: 'none',
      syncFlush: true,
      acl: ACL,
      brokerSettings: { autoCreateSubscriptionGroup: false },
    });
    client = connect();
    await until('both brokers are registered', async () => {
      await client.createTopic('probe', { queues: 1 });
      return (await client.queues('probe'))?.length === 2;
    });
    await client.createGroup(GROUP);
  });

  after(async () => {
    await Promise.all(clients.map((each) => each.close()));
    await rocketmq.stop();
  });

  function connect(options: Partial<RemotingOptions> = {}): RemotingClient {
    const connected = new RemotingClient({
      namesrvAddr: [rocketmq.namesrvAddr],
      acl: ACL,
      tls: null,
      deadlineMs: 60_000,
      maxInFlightBytes: 8 * 1024 * 1024,
      ...options,
    });
    clients.push(connected);
    return connected;
  }

  function send(topic: string, queue: BrokerQueue, texts: readonly string[]): Promise<number> {
    return client.sendBatch({ topic, queue, body: Buffer.concat(texts.map(message)), count: texts.length });
  }

  function pull(topic: string, queue: BrokerQueue, offset: number, waitMs = 20_000): Promise<PullResult> {
    return client.pull({
      topic,
      queue,
      offset,
      group: GROUP,
      maxBytes: 1_000_000,
      maxMessages: 1000,
      waitMs,
    });
  }

  test('a topic is created on all masters or some, listed, and deleted', async () => {
    await client.createTopic('everywhere', { queues: 2, attributes: { 'reserve.time': '3600000' } });
    await client.createTopic('one-broker', { queues: 3, brokers: 1 });
    const names = async (topic: string) =>
      (await client.queues(topic, { fresh: true }))?.map(({ broker, queueId }) => `${broker}/${queueId}`) ??
      null;
    assert.deepEqual(await names('everywhere'), ['broker-a/0', 'broker-a/1', 'broker-b/0', 'broker-b/1']);
    assert.deepEqual(await names('one-broker'), ['broker-a/0', 'broker-a/1', 'broker-a/2']);
    assert.deepEqual(await client.listTopics(), ['everywhere', 'one-broker', 'probe']);
    await client.deleteTopic('everywhere');
    assert.equal(await names('everywhere'), null);
    assert.deepEqual(await client.listTopics(), ['one-broker', 'probe']);
  });

  test('batches get the offsets of their queue, and are read from any of them', async () => {
    await client.createTopic('orders', { queues: 2 });
    const second = { broker: 'broker-b', queueId: 1 };
    assert.equal(await send('orders', first, ['a', 'b', 'c']), 0);
    assert.equal(await send('orders', first, ['d']), 3);
    assert.equal(await send('orders', second, ['x']), 0);
    await until('the broker has indexed them', async () => (await client.maxOffset('orders', first)) === 4);

    const all = await pull('orders', first, 0);
    assert.deepEqual(stored(all.body), [
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
      [3, 'd'],
    ]);
    const { status, nextOffset, minOffset, maxOffset } = all;
    assert.deepEqual(
      { status, nextOffset, minOffset, maxOffset },
      { status: 'FOUND', nextOffset: 4, minOffset: 0, maxOffset: 4 },
    );
    assert.deepEqual(stored((await pull('orders', first, 2)).body), [
      [2, 'c'],
      [3, 'd'],
    ]);
    assert.deepEqual(stored((await pull('orders', second, 0)).body), [[0, 'x']]);

    const beyond = await pull('orders', first, 10);
    assert.deepEqual([beyond.status, beyond.nextOffset], ['OFFSET_MOVED', 4]);
    const end = await pull('orders', first, 4, 0);
    assert.deepEqual([end.status, end.nextOffset, end.maxOffset], ['NO_NEW', 4, 4]);
    assert.equal(await client.minOffset('orders', first), 0);
    const stats = await client.topicStats('orders');
    assert.deepEqual(
      stats?.map(({ queue, maxOffset: max }) => [queue.broker, queue.queueId, max]),
      [
        ['broker-a', 0, 4],
        ['broker-a', 1, 0],
        ['broker-b', 0, 0],
        ['broker-b', 1, 1],
      ],
    );
  });

  test('a read that waits is woken by the next message; a wait that ends early says so', async () => {
    await client.createTopic('waiting', { queues: 1 });
    for (let n = 0; n < 3; n += 1) assert.equal((await pull('waiting', first, 0, 50)).status, 'NO_NEW');
    const waiting = pull('waiting', first, 0);
    await send('waiting', first, ['wake']);
    assert.deepEqual(stored((await waiting).body), [[0, 'wake']]);
  });

  test('a group must exist to read and to commit; its offsets go with it', async () => {
    await client.createTopic('consumed', { queues: 3 });
    const read = {
      topic: 'consumed',
      queue: first,
      offset: 0,
      group: 'sink',
      maxBytes: 1000,
      maxMessages: 1,
      waitMs: 0,
    };
    await assert.rejects(client.pull(read), /Create the consumer group first/);
    await assert.rejects(
      client.commitOffset('sink', 'consumed', first, 1),
      /Create the consumer group first/,
    );
    assert.equal(await client.committedOffset('sink', 'consumed', first), null);

    await client.createGroup('sink', { maxRetries: 3 });
    assert.equal((await client.pull(read)).status, 'NO_NEW');
    await send('consumed', first, ['a', 'b', 'c']);
    const second = { broker: 'broker-b', queueId: 2 };
    await client.commitOffset('sink', 'consumed', first, 2);
    await client.commitOffset('sink', 'consumed', second, 0);
    assert.equal(await client.committedOffset('sink', 'consumed', first), 2);
    await until('the broker has indexed them', async () => (await client.maxOffset('consumed', first)) === 3);
    assert.deepEqual(await client.consumeStats('sink'), [
      { topic: 'consumed', queue: first, maxOffset: 3, committedOffset: 2 },
      { topic: 'consumed', queue: second, maxOffset: 0, committedOffset: 0 },
    ]);
    assert.deepEqual(await client.listGroups(), [GROUP, 'sink']);

    await client.deleteGroup('sink');
    assert.deepEqual(await client.listGroups(), [GROUP]);
    await client.createGroup('sink');
    assert.deepEqual(await client.consumeStats('sink'), []);
    await client.deleteGroup('sink');
  });

  test('what does not exist is not created by using it', async () => {
    assert.equal(await client.queues('nothing'), null);
    assert.equal(await client.topicStats('nothing'), null);
    await assert.rejects(send('nothing', first, ['a']), fails('LOG_UNKNOWN_TOPIC'));
    await assert.rejects(
      send('probe', { broker: 'broker-a', queueId: 9 }, ['a']),
      fails('LOG_UNKNOWN_QUEUE'),
    );
    const other = connect();
    await client.createTopic('deleted', { queues: 1 });
    await other.queues('deleted');
    await client.deleteTopic('deleted');
    // It goes by the route that it has, and the broker knows better.
    const late = other.sendBatch({ topic: 'deleted', queue: first, body: message('a'), count: 1 });
    await assert.rejects(late, fails('LOG_UNKNOWN_TOPIC'));
    assert.ok(!(await client.listTopics()).includes('deleted'));
  });

  test('a batch, or a message, above the limit of the broker', async () => {
    const half = 'x'.repeat(2.5 * 1024 * 1024);
    await assert.rejects(send('probe', first, [half, half]), fails('LOG_BAD_REQUEST'));
    await assert.rejects(send('probe', first, [half + half]), fails('LOG_BAD_REQUEST'));
    assert.equal(await client.maxOffset('probe', first), 0);
  });

  test('a wrong key, and none, are refused', async () => {
    for (const acl of [null, { ...ACL, secretKey: 'wrong' }, { ...ACL, accessKey: 'nobody' }]) {
      const stranger = connect({ acl });
      await assert.rejects(
        stranger.sendBatch({ topic: 'probe', queue: first, body: message('a'), count: 1 }),
        (error) =>
          error instanceof RemotingError && error.code === 'LOG_BAD_REQUEST' && /Grant/.test(error.message),
      );
    }
  });

  test('over TLS', async () => {
    await client.createTopic('encrypted', { queues: 1 });
    const secure = connect({ tls: { rejectUnauthorized: false } });
    assert.equal(
      await secure.sendBatch({ topic: 'encrypted', queue: first, body: message('a'), count: 1 }),
      0,
    );
    assert.deepEqual(stored((await pull('encrypted', first, 0)).body), [[0, 'a']]);
    const distrustful = connect({ tls: { rejectUnauthorized: true }, deadlineMs: 300 });
    await assert.rejects(distrustful.queues('encrypted'), /cannot connect/);
  });

  test('a broker that is killed and comes back: what was acknowledged is there, in order', async () => {
    await client.createTopic('survivor', { queues: 1 });
    const acknowledged: (readonly [number, string])[] = [];
    let killed = false;
    let afterwards = 0;
    const writing = (async () => {
      for (let n = 0; afterwards < 20; n += 1) {
        try {
          acknowledged.push([await send('survivor', first, [`m${n}`]), `m${n}`]);
          if (killed) afterwards += 1;
        } catch (error) {
          assert.ok(error instanceof RemotingError && error.retriable, String(error));
        }
      }
    })();
    await until('some are written', () => acknowledged.length > 20, 120_000);
    const waiting = pull('survivor', { broker: 'broker-a', queueId: 0 }, 1_000_000);
    await rocketmq.killBroker(0);
    killed = true;
    await rocketmq.startBroker(0);
    await writing;
    assert.equal((await waiting).status, 'OFFSET_MOVED');

    const found = new Map<number, string>();
    const last = acknowledged.at(-1)?.[0] ?? 0;
    for (let offset = 0; offset <= last;) {
      const result = await pull('survivor', first, offset);
      for (const [at, text] of stored(result.body)) found.set(at, text);
      offset = result.nextOffset;
    }
    for (const [offset, text] of acknowledged) assert.equal(found.get(offset), text);
    const order = [...found.values()].map((text) => Number(text.slice(1)));
    assert.deepEqual(
      order,
      order.toSorted((a, b) => a - b),
    );
  });

  test('a name server that goes away and comes back', async () => {
    await rocketmq.stopNameServer();
    const offset = await send('probe', first, ['without']);
    const lost = connect({ deadlineMs: 300 });
    await assert.rejects(lost.queues('probe'), fails('LOG_UNAVAILABLE'));
    const asking = client.queues('probe', { fresh: true });
    await rocketmq.startNameServer();
    // It knows nothing until the brokers tell it again. Who has the route works on.
    assert.equal(await send('probe', first, ['with']), offset + 1);
    assert.ok(await asking);
  });
});
