import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf } from '../../conformance/log-batches.js';
import { Cluster } from '../../support/cluster.js';
import { readJournal, type Act } from '../../support/journal.js';
import { requireService, rocketmqAvailable, startRocketMq } from '../../support/rocketmq.js';
import { openRemotingLog } from '../../support/rocketmq-log.js';
import { until } from '../../support/wait.js';

const PATIENCE_MS = 60_000;

for (const kind of ['RecordingSink', 'OpeningSink'])
  test(
    `a topic that grows under a ${kind} of several tasks, one of them started again: each queue has one reader, also the new ones`,
    { skip: requireService(rocketmqAvailable()) },
    async (t) => {
      const rocketmq = await startRocketMq({ proxy: 'none' });
      t.after(() => rocketmq.stop());
      const { namesrvAddr } = rocketmq;
      const { client, log } = openRemotingLog(rocketmq);
      t.after(() => log.close());
      const cluster = new Cluster({ namesrvAddr });
      t.after(() => cluster.destroy());
      await cluster.start('a');
      const puts = (): readonly Act[] => readJournal(cluster.journal).filter(({ what }) => what === 'put');
      let round = 0;
      const fill = async (queues: number): Promise<void> => {
        round += 1;
        for (let queue = 0; queue < queues; queue += 1) {
          const batch = batchOf([`${round}/${queue}`]);
          await log.append({ entries: [{ topic: 'numbers', queue, batch }] });
        }
        await until(
          `the records of round ${round} arrive`,
          () => {
            const values = puts().map(({ value }) => value);
            const missing = Array.from({ length: queues }, (_, queue) => `${round}/${queue}`).filter(
              (value) => !values.includes(value),
            );
            return missing.length === 0 || Promise.reject(new Error(`missing: ${missing.join(' ')}`));
          },
          PATIENCE_MS,
        );
      };

      await log.createTopic('numbers', { queues: 3, retentionMs: null, retentionBytes: null });
      await cluster.put(
        'a',
        'sink',
        cluster.sink(2, { 'connector.class': kind, 'topics.refresh.ms': '500' }),
      );
      await cluster.running('a', 'sink', 2);
      await fill(3);
      await client.createTopic('numbers', { queues: 8 });
      await until('the topic has grown', async () => (await log.describeTopic('numbers'))?.queues === 8);
      const { status } = await cluster.node('a').request('POST', '/connectors/sink/tasks/0/restart');
      assert.equal(status, 204);
      await fill(8);
      await fill(8);

      const values = puts().map(({ value }) => value);
      assert.equal(new Set(values).size, values.length, 'no record came twice');
      const readers = new Set(puts().map(({ queue, unit }) => `${queue} ${unit}`));
      assert.equal(readers.size, 8, [...readers].join(', '));
      if (kind === 'RecordingSink') return;
      const acts = readJournal(cluster.journal);
      assert.deepEqual(
        acts
          .filter(({ what }) => what === 'start')
          .map(({ unit }) => unit)
          .sort(),
        ['sink/0', 'sink/0', 'sink/1'],
        'none but the one that was asked to has started again',
      );
    },
  );
