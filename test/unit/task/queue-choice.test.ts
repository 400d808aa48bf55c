import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queueChoice } from '#troupe/actors/task/source/queue-choice.js';
import { Topics } from '#troupe/actors/task/topics.js';
import { kafkaQueue, rocketmqQueue } from '#troupe/core/partitioning.js';
import type { Partitioner } from '#troupe/plugins/config-partitioner.js';
import { sourceRecord, type SourceRecord } from '#troupe/sdk/index.js';

const record = (more: { value?: unknown; queue?: number } = {}): SourceRecord =>
  sourceRecord({ value: 'v', sourcePartition: {}, sourcePosition: {}, ...more });

const ALL = ['key', 'kafka', 'rocketmq', 'field', 'round-robin', 'record'] as const;
const choose = (by: Partitioner['by'], field = '') => queueChoice({ by, field });

test('by key each partitioner has its own hash, and records without a key go in turn', () => {
  assert.equal(choose('kafka')(record(), 'customer-17', 12, 3), kafkaQueue('customer-17', 12));
  assert.equal(choose('rocketmq')(record(), 'customer-17', 12, 3), rocketmqQueue('customer-17', 12));
  for (const by of ['key', 'kafka', 'rocketmq'] as const)
    assert.deepEqual(
      [0, 1, 2, 3].map((turn) => choose(by)(record(), null, 3, turn)),
      [0, 1, 2, 0],
    );
  // An empty key is a key.
  assert.equal(choose('kafka')(record(), '', 12, 3), kafkaQueue('', 12));
});

test('by field records with the same text of it go together, and without it in turn', () => {
  const by = choose('field', 'order.customer');
  const of = (customer: unknown) => record({ value: { order: { customer } } });
  assert.equal(by(of('c1'), 'other', 12, 0), kafkaQueue('c1', 12));
  assert.equal(by(of(17), null, 12, 0), kafkaQueue('17', 12));
  assert.equal(by(record({ value: { 'order.customer': 'c1' } }), null, 12, 0), kafkaQueue('c1', 12));
  for (const value of [null, 'text', {}, { order: null }, { order: { customer: null } }])
    assert.equal(by(record({ value }), 'k', 12, 5), 5);
});

test('in turn the key says nothing', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((turn) => choose('round-robin')(record(), 'k', 3, turn)),
    [0, 1, 2, 0],
  );
});

test('a queue that the record names comes first, and one that is not there is a bad record', () => {
  for (const by of ALL) {
    assert.equal(choose(by, 'f')(record({ queue: 2 }), 'k', 3, 0), 2);
    for (const queue of [3, -1, 0.5])
      assert.throws(() => choose(by, 'f')(record({ queue }), 'k', 3, 0), { code: 'BAD_QUEUE' });
  }
});

test('where the record is to name its queue, one that names none is a bad record, unless there is only one queue', () => {
  assert.throws(() => choose('record')(record(), 'k', 3, 0), { code: 'BAD_QUEUE' });
  assert.equal(choose('record')(record(), 'k', 1, 0), 0);
});

test('each topic has turns of its own, and the number of its queues is that of when it was first written to', async () => {
  let queues = 2;
  const describeTopic = (name: string) =>
    Promise.resolve({ name, id: null, queues, retentionMs: null, retentionBytes: null });
  const log = { describeTopic, createTopic: () => assert.fail('it is there') };
  const topics = new Topics(log, () => null, []);
  const route = (topic: string): number => {
    const known = topics.queues(topic);
    assert.ok(known !== null);
    return topics.route(topic, known, record(), null);
  };
  await topics.ensure('a');
  await topics.ensure('b');
  assert.deepEqual(
    [route('a'), route('b'), route('a'), route('b')].sort(),
    [0, 0, 1, 1],
    'they alternate, and neither leaves a queue out',
  );
  queues = 4;
  assert.equal(await topics.ensure('a'), 2);
  assert.equal(await new Topics(log, () => null, []).ensure('a'), 4);
});
