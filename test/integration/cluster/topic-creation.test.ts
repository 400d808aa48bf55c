import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { Cluster } from '../../support/cluster.js';
import { readJournal } from '../../support/journal.js';
import { until } from '../../support/wait.js';

const OF_CONNECTOR = {
  'topic.creation.groups': 'many',
  'topic.creation.many.include': 'many-.*',
  'topic.creation.many.partitions': '5',
  'topic.creation.default.partitions': '3',
  'topic.creation.default.retention.ms': '-1',
};

test('a source that asks for it has its topics created with queues and retention of their own', async (t) => {
  const cluster = new Cluster({ 'topic.queues': '2' });
  t.after(() => cluster.destroy());
  await cluster.start('a');
  for (const topic of ['many-orders', 'other'])
    await cluster.put('a', topic, cluster.source(1, { topic, ...OF_CONNECTOR }));
  await cluster.put('a', 'plain', cluster.source(1, { topic: 'plain' }));
  for (const name of ['many-orders', 'other', 'plain']) await cluster.running('a', name, 1);
  const store = await EmbeddedStore.open({ dir: join(cluster.dir, 'log') });
  t.after(() => store.close());
  const created = async (name: string): Promise<unknown> => {
    const topic = await store.describeTopic(name);
    return topic === null ? null : [topic.queues, topic.retentionMs];
  };
  const day = 24 * 3_600_000;
  await until('all topics are there', async () => {
    assert.deepEqual(await Promise.all(['many-orders', 'other', 'plain'].map(created)), [
      [5, null],
      [3, null],
      [2, 7 * day],
    ]);
    return true;
  });
});

test('a sink that is there before the source waits for its topic, and does not decide how it is created', async (t) => {
  const cluster = new Cluster();
  t.after(() => cluster.destroy());
  const node = await cluster.create('a');
  await cluster.start('a');
  await cluster.put('a', 'sink', cluster.sink(2, { topics: 'later' }));
  await until('it says what it waits for', async () => {
    await cluster.running('a', 'sink', 2);
    assert.match(JSON.stringify(await cluster.status('a', 'sink')), /"stalled":\{"call":"topics"/);
    assert.match(node.output, /these topics do not exist/);
    return true;
  });
  await cluster.put('a', 'source', cluster.source(1, { topic: 'later', ...OF_CONNECTOR }));
  await until('it reads all queues of the topic', () => {
    const puts = readJournal(cluster.journal).filter(({ what }) => what === 'put');
    return new Set(puts.map(({ unit, queue }) => `${unit} ${queue}`)).size === 3;
  });
  await until('it waits for nothing more', async () => {
    assert.doesNotMatch(JSON.stringify(await cluster.status('a', 'sink')), /stalled/);
    return true;
  });
  await cluster.put(
    'a',
    'second',
    cluster.source(1, { topic: 'later', 'topic.creation.default.partitions': '8' }),
  );
  await until('a source that asks for something else hears of it', () =>
    node.output.includes('topic later was there already, and topic.creation changes nothing about it'),
  );
  assert.match(node.output, /partitions is 3, not 8/);
  assert.doesNotMatch(node.output, /retention.ms is/, 'it has not asked for that');
});
