import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildTopicCreation, configureTopicCreation } from '#troupe/plugins/topic-creation.js';

const NODE = { queues: 1, retentionMs: 1000, retentionBytes: 2000 };

function issues(raw: Record<string, string>): Record<string, string> {
  return Object.fromEntries(configureTopicCreation(raw).issues.map(({ field, reason }) => [field, reason]));
}

test('a connector that says nothing of its topics gets them as the node is set', () => {
  assert.deepEqual(buildTopicCreation({ topic: 'orders' })('orders', NODE), NODE);
});

test('a topic is of the first group that includes and does not exclude it, the rest have the default', () => {
  const creation = buildTopicCreation({
    'topic.creation.groups': 'audit, wide',
    'topic.creation.default.replication.factor': '-1',
    'topic.creation.default.partitions': '2',
    'topic.creation.default.retention.bytes': '-1',
    'topic.creation.audit.include': 'audit,.*-audit',
    'topic.creation.audit.exclude': 'no-audit',
    'topic.creation.audit.retention.ms': '-1',
    'topic.creation.wide.include': '.*audit, wide.*',
    'topic.creation.wide.partitions': '8',
  });
  assert.deepEqual(creation('audit', NODE), { queues: 2, retentionMs: null, retentionBytes: null });
  assert.deepEqual(creation('no-audit', NODE), { queues: 8, retentionMs: 1000, retentionBytes: null });
  assert.deepEqual(creation('wide1', NODE), { queues: 8, retentionMs: 1000, retentionBytes: null });
  // A pattern matches the whole name.
  assert.deepEqual(creation('a-wide1', NODE), { queues: 2, retentionMs: 1000, retentionBytes: null });
});

test('what is wrong is told at once, by its key', () => {
  const found = issues({
    'topic.creation.groups': 'a,a,b',
    'topic.creation.default.partitions': '0',
    'topic.creation.default.cleanup.policy': 'compact',
    'topic.creation.a.include': 'a)(b',
    'topic.creation.c.partitions': '3',
    'topic.creation.b.partitions': 'many',
  });
  assert.deepEqual(Object.keys(found).sort(), [
    'topic.creation.a.include',
    'topic.creation.b.include',
    'topic.creation.b.partitions',
    'topic.creation.c.partitions',
    'topic.creation.default.cleanup.policy',
    'topic.creation.default.partitions',
    'topic.creation.groups',
  ]);
  assert.match(found['topic.creation.groups'] ?? '', /"a" stands twice/);
  assert.match(found['topic.creation.c.partitions'] ?? '', /names no group/);
  assert.match(found['topic.creation.default.cleanup.policy'] ?? '', /no setting of topics here/);
  assert.match(found['topic.creation.b.include'] ?? '', /required/);
});
