import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  offsetMachine,
  offsetsOf,
  partitionKey,
  positionMachine,
  positionsOf,
  type OffsetEntry,
  type OffsetState,
  type PositionEntry,
  type PositionState,
} from '#troupe/core/progress/progress-machine.js';
import type { ProgressResult } from '#troupe/core/progress/progress-rules.js';
import { positionEntry, UNITS } from '../replica/entries.js';

const META = { offset: 1, timestamp: 1, writer: { node: 'n', incarnation: 'i' } };

function positions(state: PositionState, entry: PositionEntry): ProgressResult {
  return positionMachine.apply(state, entry, META).result;
}

function offsets(state: OffsetState, entry: OffsetEntry): ProgressResult {
  return offsetMachine.apply(state, entry, META).result;
}

test('a write with an epoch older than the newest fence of its unit changes nothing', () => {
  fc.assert(
    fc.property(
      fc.array(positionEntry),
      fc.constantFrom(...UNITS),
      fc.integer({ min: 9, max: 12 }),
      fc.array(positionEntry.filter(({ type }) => type === 'PROGRESS' || type === 'FENCE')),
      (before, unit, epoch, late) => {
        const state = positionMachine.initial();
        for (const entry of before) positions(state, entry);
        assert.equal(positions(state, { type: 'FENCE', unit, epoch }).ok, true);
        const then = positionMachine.digest(state);
        for (const entry of late) {
          if (entry.type !== 'PROGRESS' && entry.type !== 'FENCE') continue;
          const result = positions(state, { ...entry, unit });
          assert.equal(result.ok ? '' : result.reason, 'FENCED');
        }
        assert.equal(positionMachine.digest(state), then);
      },
    ),
  );
});

test('the late word of an old task does not undo what another task wrote at a newer epoch', () => {
  const state = positionMachine.initial();
  const item = (at: number): { partition: { file: string }; position: { at: number } } => ({
    partition: { file: 'x' },
    position: { at },
  });
  positions(state, { type: 'PROGRESS', unit: 'c/0', epoch: 3, items: [item(1)] });
  positions(state, { type: 'PROGRESS', unit: 'c/1', epoch: 5, items: [item(2)] });
  assert.deepEqual(positions(state, { type: 'PROGRESS', unit: 'c/0', epoch: 3, items: [item(9)] }), {
    ok: true,
    changed: 0,
  });
  assert.deepEqual(positionsOf(state, 'c'), [item(2)]);
});

test('a partition is the same partition whatever the order of its keys', () => {
  const state = positionMachine.initial();
  const write = (partition: Record<string, string>, at: number): ProgressResult =>
    positions(state, { type: 'PROGRESS', unit: 'c/0', epoch: 1, items: [{ partition, position: { at } }] });
  write({ a: '1', b: '2' }, 1);
  write({ b: '2', a: '1' }, 2);
  assert.deepEqual(
    positionsOf(state, 'c').map(({ position }) => position),
    [{ at: 2 }],
  );
});

test('what was dropped stays dropped until a newer epoch writes', () => {
  fc.assert(
    fc.property(fc.array(positionEntry), fc.array(positionEntry), (before, late) => {
      const state = positionMachine.initial();
      let newest = 0;
      for (const entry of before) {
        positions(state, entry);
        if (entry.type === 'PROGRESS' || entry.type === 'FENCE') newest = Math.max(newest, entry.epoch);
      }
      // The owner at that time, and so the newest epoch of the connector there can be.
      positions(state, { type: 'FENCE', unit: 'a/0', epoch: newest });
      positions(state, { type: 'DROP', connector: 'a' });
      for (const entry of late) {
        if (entry.type === 'PROGRESS' && entry.epoch <= newest) positions(state, { ...entry, unit: 'a/1' });
      }
      assert.deepEqual(positionsOf(state, 'a'), []);
      const item = { partition: { file: 'x' }, position: { at: 1 } };
      positions(state, { type: 'PROGRESS', unit: 'a/0', epoch: newest + 1, items: [item] });
      assert.deepEqual(positionsOf(state, 'a'), [item]);
    }),
  );
});

test('offsets of a queue move forward only, unless the entry resets them', () => {
  const write = fc.record({ epoch: fc.integer({ min: 1, max: 4 }), offset: fc.nat(20), reset: fc.boolean() });
  fc.assert(
    fc.property(fc.array(write), (writes) => {
      const state = offsetMachine.initial();
      let epochNow = 0;
      let expected: number | null = null;
      for (const { epoch, offset, reset } of writes) {
        offsets(state, {
          type: 'PROGRESS',
          unit: 'c/0',
          epoch,
          items: [{ topic: 't', queue: 0, offset }],
          reset,
        });
        if (epoch >= epochNow) {
          epochNow = epoch;
          expected = reset ? offset : Math.max(expected ?? 0, offset);
        }
        const [item] = offsetsOf(state, 'c');
        assert.equal(item?.offset ?? null, expected);
      }
    }),
  );
});

test('a reset sets some items, and null forgets all; the epochs before it are over', () => {
  const state = offsetMachine.initial();
  const at = (queue: number, offset: number): { topic: string; queue: number; offset: number } => ({
    topic: 't',
    queue,
    offset,
  });
  offsets(state, { type: 'PROGRESS', unit: 'c/0', epoch: 4, items: [at(0, 10), at(1, 10)] });
  offsets(state, { type: 'RESET', connector: 'c', items: [at(0, 3)] });
  assert.deepEqual(offsetsOf(state, 'c'), [at(0, 3), at(1, 10)]);
  assert.equal(offsets(state, { type: 'PROGRESS', unit: 'c/0', epoch: 4, items: [at(0, 11)] }).ok, false);
  assert.equal(offsets(state, { type: 'PROGRESS', unit: 'c/0', epoch: 5, items: [at(0, 4)] }).ok, true);
  offsets(state, { type: 'RESET', connector: 'c', items: null });
  assert.deepEqual(offsetsOf(state, 'c'), []);
});

test('a retired partition is gone, by whoever wrote it last, and what is written later counts', () => {
  const state = positionMachine.initial();
  const item = (row: number) => ({ partition: { row, of: 'x' }, position: { at: row } });
  const keyOf = (row: number): string => partitionKey({ of: 'x', row });
  positions(state, { type: 'PROGRESS', unit: 'c/0', epoch: 3, items: [item(1), item(2), item(3)] });
  positions(state, { type: 'PROGRESS', unit: 'c/1', epoch: 5, items: [item(3)] });
  const retired = [keyOf(2), keyOf(3), keyOf(9)];
  positions(state, { type: 'PROGRESS', unit: 'c/0', epoch: 3, items: [], retired });
  assert.deepEqual(positionsOf(state, 'c'), [item(1), item(3)], 'a newer task has written 3');
  positions(state, { type: 'PROGRESS', unit: 'c/0', epoch: 3, items: [item(2)] });
  assert.deepEqual(positionsOf(state, 'c'), [item(1), item(3), item(2)]);
});
