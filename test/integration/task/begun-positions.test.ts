import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourcePosition } from '#troupe/core/model.js';
import { sourceRecord } from '#troupe/sdk/record.js';
import { pollOnce, valuesOf } from './source-on-log.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';

test('where a source says that it begins is durable before its first poll, for any number of partitions', async (t) => {
  const begun = Array.from({ length: 2500 }, (_, n) => ({ partition: { n }, position: { begin: n } }));
  const expected = begun.map(({ position }) => JSON.stringify(position));
  let before: unknown[] = [];
  const poll = async (log: Parameters<typeof valuesOf>[0]) => {
    before = await valuesOf(log, 'positions');
    return [];
  };
  await pollOnce(t, { poll, begun }, DEFAULT_TOLERANCE);
  assert.deepEqual(before, expected);
});

test('where a partition begins, said while polling, is durable without a record and does not undo one', async (t) => {
  const begun: SourcePosition[] = [];
  const poll = () => {
    begun.push(
      { partition: { n: 1 }, position: { begin: 1 } },
      { partition: { n: 2 }, position: { begin: 2 } },
    );
    return [sourceRecord({ value: 'a', sourcePartition: { n: 1 }, sourcePosition: { read: 1 } })];
  };
  const log = await pollOnce(t, { poll, begun }, DEFAULT_TOLERANCE);
  assert.deepEqual((await valuesOf(log, 'positions')).sort(), ['{"begin":2}', '{"read":1}']);
});
