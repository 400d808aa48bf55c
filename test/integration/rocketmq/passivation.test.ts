import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf } from '../../conformance/log-batches.js';
import { Cluster } from '../../support/cluster.js';
import { readJournal } from '../../support/journal.js';
import { requireService, rocketmqAvailable, startRocketMq } from '../../support/rocketmq.js';
import { openRemotingLog } from '../../support/rocketmq-log.js';
import { until } from '../../support/wait.js';

const PATIENCE_MS = 60_000;
const TOPICS = ['one', 'two', 'three'];

test(
  'on RocketMQ a record, and a queue that is new, wake passive sinks, and a broker that is away does not',
  { skip: requireService(rocketmqAvailable()) },
  async (t) => {
    const rocketmq = await startRocketMq({ proxy: 'none' });
    t.after(() => rocketmq.stop());
    const { namesrvAddr } = rocketmq;
    const { client, log } = openRemotingLog(rocketmq);
    t.after(() => log.close());
    const cluster = new Cluster({ namesrvAddr, 'task.passivate.after.ms': '500' });
    t.after(() => cluster.destroy());
    await cluster.start('a');
    for (const topic of TOPICS) {
      await log.createTopic(topic, { queues: 2, retentionMs: null, retentionBytes: null });
      const config = { topics: topic, 'topics.refresh.ms': '500', 'offset.flush.interval.ms': '100' };
      await cluster.put('a', topic, cluster.sink(1, config));
    }
    const allRest = () =>
      until(
        'all rest',
        async () => {
          const { body } = await cluster.node('a').request('GET', '/connectors?expand=status');
          const text = JSON.stringify(body);
          return text.split('"passive"').length - 1 === TOPICS.length || Promise.reject(new Error(text));
        },
        PATIENCE_MS,
      );
    const starts = (): number => readJournal(cluster.journal).filter(({ what }) => what === 'start').length;
    const write = async (topic: string, queue: number, value: string): Promise<void> => {
      await log.append({ entries: [{ topic, queue, batch: batchOf([value]) }] });
      await until(
        `${value} arrives`,
        () => readJournal(cluster.journal).some((act) => act.what === 'put' && act.value === value),
        PATIENCE_MS,
      );
    };
    await allRest();
    for (const [index, topic] of TOPICS.entries()) await write(topic, index % 2, `${topic} wakes`);
    await allRest();
    await client.createTopic('one', { queues: 4 });
    await until(
      'the topic has grown',
      async () => (await log.describeTopic('one'))?.queues === 4,
      PATIENCE_MS,
    );
    await write('one', 3, 'in a new queue');
    await allRest();
    const before = starts();
    await rocketmq.stopBroker();
    await until('the node hears nothing', async () => {
      const { body } = await cluster.node('a').request('GET', '/connectors/two/status');
      return JSON.stringify(body).includes('heartbeat');
    });
    assert.equal(starts(), before, 'nobody was woken');
    await rocketmq.startBroker();
    await rocketmq.registered();
    await write('two', 0, 'after the broker was away');
  },
);
