import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { BatchReader } from '#troupe/log/batch.js';
import { LogError, type Log } from '#troupe/log/log.js';
import { RemotingClient } from '#troupe/log/rocketmq/remoting/client.js';
import { RocketMqLog } from '#troupe/log/rocketmq/rocketmq-log.js';
import { batchOf } from '../../conformance/log-batches.js';
import { requireService, rocketmqAvailable, startRocketMq, type RocketMq } from '../../support/rocketmq.js';
import { isRegistered } from '../../support/rocketmq-remoting.js';
import { until } from '../../support/wait.js';

const PATIENCE_MS = 60_000;
const SETTINGS = { queues: 2, retentionMs: null, retentionBytes: null };

/** One that knows nothing yet, as that of a task that has just been started, on whatever node. */
function newClient(t: TestContext, { namesrvAddr }: RocketMq): RemotingClient {
  const options = { namesrvAddr: [namesrvAddr], acl: null, tls: null, deadlineMs: 3000 };
  const client = new RemotingClient({ ...options, maxInFlightBytes: 1024 * 1024 });
  t.after(() => client.close());
  return client;
}

function newLog(t: TestContext, rocketmq: RocketMq): Log {
  const client = newClient(t, rocketmq);
  const log = new RocketMqLog({ client, maxMessageBytes: 1024 * 1024 });
  t.after(() => log.close());
  return log;
}

async function firstOf(log: Log, queue: number): Promise<string | null> {
  const read = { topic: 'orders', queue, offset: 0, maxBytes: 1, maxRecords: 1, waitMs: 0 };
  const { batches } = await log.read(read);
  const bytes = batches[0]?.batch.bytes;
  return bytes === undefined ? null : BatchReader.open(bytes).valueText(0);
}

const isAway = (error: unknown): boolean => error instanceof LogError && error.code === 'LOG_UNAVAILABLE';

test(
  'who starts while a broker is missing takes no queue for another, and makes no topic anew',
  { skip: requireService(rocketmqAvailable()) },
  async (t) => {
    const rocketmq = await startRocketMq({ brokers: 2, proxy: 'none', syncFlush: true });
    t.after(() => rocketmq.stop());
    const before = newLog(t, rocketmq);
    await before.createTopic('orders', SETTINGS);
    await before.createTopic('alone', { ...SETTINGS, queues: 1 });
    for (const queue of [0, 1])
      await before.append({ entries: [{ topic: 'orders', queue, batch: batchOf([`of queue ${queue}`]) }] });

    await rocketmq.killBroker(0);
    await until(
      'the name server forgets the broker',
      async () => !(await isRegistered(rocketmq.ports.nameServer, 'broker-a')),
      PATIENCE_MS,
    );
    const during = newLog(t, rocketmq);
    assert.equal((await during.describeTopic('orders'))?.queues, 2);
    await assert.rejects(firstOf(during, 0), isAway);
    assert.equal(await firstOf(during, 1), 'of queue 1');
    await assert.rejects(during.createTopic('alone', { ...SETTINGS, queues: 1 }), isAway);

    // What the name server keeps outlives it.
    await rocketmq.stopNameServer();
    await rocketmq.startNameServer();
    await rocketmq.registered(1);
    const afterwards = newLog(t, rocketmq);
    assert.equal((await afterwards.describeTopic('orders'))?.queues, 2);
    await assert.rejects(firstOf(afterwards, 0), isAway);

    await rocketmq.startBroker(0);
    assert.equal(await firstOf(newLog(t, rocketmq), 0), 'of queue 0');
    assert.equal((await newLog(t, rocketmq).describeTopic('alone'))?.queues, 1);

    // As docs/rocketmq.md says, where the order does not hold any more.
    assert.equal((await newClient(t, rocketmq).keptQueues('orders'))?.length, 2);
    await rocketmq.admin(['deleteKvConfig', '-s', 'TROUPE_QUEUES', '-k', 'orders']);
    assert.equal(await newClient(t, rocketmq).keptQueues('orders'), null);
  },
);
