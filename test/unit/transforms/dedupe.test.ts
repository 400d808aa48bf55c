import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransformChain } from '#troupe/plugins/transform-chain.js';
import type { SinkRecord, SourceRecord } from '#troupe/sdk/index.js';
import { record, single } from './transforms.js';

let position = 0;
/** Each has a position of its own, as those of a source have. */
const next = (value: unknown, more: Partial<SourceRecord> = {}): SourceRecord =>
  record(null, value, { sourcePosition: { position: (position += 1) }, ...more });

const goesOn = (chain: TransformChain, one: SourceRecord | SinkRecord): boolean => chain.apply(one) !== null;

test('of records with one key the first goes on, and those without a key all do', async () => {
  const chain = await single('Dedupe', {});
  const keys = ['a', 'b', 'a', null, null, 5, '5', 5, { x: 1 }, { x: 1 }, { x: 2 }];
  const out = keys.filter((key) => goesOn(chain, next(1, { key })));
  assert.deepEqual(out, ['a', 'b', null, null, 5, '5', { x: 1 }, { x: 2 }]);
});

test('records are the same by whatever the expression gives', async () => {
  const chain = await single('Dedupe', { by: '[value.shop, value.id]' });
  const values = [
    { shop: 'a', id: 1 },
    { shop: 'b', id: 1 },
    { shop: 'a', id: 1, more: true },
  ];
  assert.deepEqual(
    values.map((value) => goesOn(chain, next(value))),
    [true, true, false],
  );
});

test('no more keys are remembered than allowed, and what came again is remembered longer', async () => {
  const chain = await single('Dedupe', { 'max.keys': '2' });
  const came = (key: string): boolean => goesOn(chain, next(1, { key }));
  assert.deepEqual(['a', 'b', 'a', 'c', 'a', 'b'].map(came), [true, true, false, true, false, true]);
});

test('beyond the window a record goes on again, and the window begins anew', async () => {
  const chain = await single('Dedupe', { 'window.ms': '1000' });
  const came = (timestamp: number): boolean => goesOn(chain, next(1, { key: 'a', timestamp }));
  assert.deepEqual([0, 1000, 1001, 1500, 2002].map(came), [true, false, true, false, true]);
});

test('a record that is transformed again is no repetition of itself', async () => {
  const chain = await single('Dedupe', {});
  const source = next(1, { key: 'a' });
  assert.deepEqual(
    [goesOn(chain, source), goesOn(chain, source), goesOn(chain, next(1, { key: 'a' }))],
    [true, true, false],
  );
  const sink = (originalOffset: number): SinkRecord => ({
    ...{ topic: 't', queue: 0, offset: originalOffset, originalTopic: 't', originalQueue: 0, originalOffset },
    ...{ keySchema: null, key: 'b', valueSchema: null, value: 1, timestamp: 0, headers: [] },
    ...{ tombstone: false, transaction: null },
  });
  assert.deepEqual(
    [1, 1, 2, 1].map((offset) => goesOn(chain, sink(offset))),
    [true, true, false, true],
  );
});
