/** Progress that a user sets, among what tasks write. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  offsetKey,
  offsetMachine,
  offsetsOf,
  type OffsetEntry,
} from '#troupe/core/progress/progress-machine.js';

const at = (queue: number, offset: number) => ({ topic: 't', queue, offset });

function told(...entries: readonly OffsetEntry[]) {
  const state = offsetMachine.initial();
  const meta = { offset: 0, timestamp: 0, writer: { node: 'n', incarnation: 'i' } };
  const results = entries.map((entry) => {
    assert.deepEqual(offsetMachine.decode(JSON.parse(JSON.stringify(entry))), entry, 'it can be read');
    return offsetMachine.apply(state, entry, meta).result;
  });
  return { results, left: offsetsOf(state, 'c').map(({ queue, offset }) => `${queue}:${offset}`) };
}

const RUN: readonly OffsetEntry[] = [
  { type: 'FENCE', unit: 'c/0', epoch: 5 },
  { type: 'PROGRESS', unit: 'c/0', epoch: 5, items: [at(0, 10), at(1, 10), at(2, 10)] },
];
const RESET: OffsetEntry = {
  type: 'RESET',
  connector: 'c',
  items: [at(0, 3)],
  removed: [offsetKey(at(1, 0))],
  upTo: 5,
};

test('what a user sets and forgets is so, and what a task of before still writes changes nothing', () => {
  const late: OffsetEntry = { type: 'PROGRESS', unit: 'c/0', epoch: 5, items: [at(0, 12), at(1, 12)] };
  const { results, left } = told(...RUN, RESET, late);
  assert.deepEqual(left, ['0:3', '2:10']);
  assert.deepEqual(
    results.map(({ ok }) => ok),
    [true, true, true, false],
  );
});

test('nothing is set when a task was opened since it was looked whether the connector is stopped', () => {
  const { results, left } = told(...RUN, { type: 'FENCE', unit: 'c/1', epoch: 6 }, RESET);
  assert.equal(results.at(-1)?.ok, false);
  assert.deepEqual(left, ['0:10', '1:10', '2:10']);
});
