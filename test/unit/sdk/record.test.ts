import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  INT32_SCHEMA,
  sourceRecord,
  STRING_SCHEMA,
  withKey,
  withTopic,
  withValue,
  type SinkRecord,
} from '#troupe/sdk/index.js';

const HEADERS = [{ key: 'h', schema: null, value: 1 }];

test('a changed source record keeps all that was not changed', () => {
  const record = sourceRecord({
    topic: 't',
    queue: 2,
    keySchema: STRING_SCHEMA,
    key: 'k',
    valueSchema: STRING_SCHEMA,
    value: 'v',
    timestamp: 5,
    headers: HEADERS,
    sourcePartition: { file: 'a' },
    sourcePosition: { position: 1 },
    transaction: { id: '7', end: true },
  });
  const before = { ...record };
  assert.deepEqual(withValue(record, INT32_SCHEMA, 1), { ...before, valueSchema: INT32_SCHEMA, value: 1 });
  assert.deepEqual(withKey(record, null, 1), { ...before, keySchema: null, key: 1 });
  assert.deepEqual(withTopic(record, 'u'), { ...before, topic: 'u' });
  assert.deepEqual(record, before);
});

test('a changed sink record keeps its queue and offset, and where it stands in the log', () => {
  const record: SinkRecord = {
    topic: 't',
    queue: 2,
    keySchema: null,
    key: null,
    valueSchema: null,
    value: 'v',
    timestamp: 5,
    headers: HEADERS,
    offset: 7,
    originalTopic: 't',
    originalQueue: 2,
    originalOffset: 7,
    tombstone: false,
    transaction: { id: '7', end: false },
  };
  assert.deepEqual(withValue(record, null, 1), { ...record, value: 1 });
  assert.deepEqual(withTopic(record, 'u'), { ...record, topic: 'u' });
});
