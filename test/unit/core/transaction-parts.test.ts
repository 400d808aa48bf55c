/** Which parts of transactions count, by the order of the position topic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  partsOf,
  positionMachine,
  positionsOf,
  type PositionEntry,
} from '#troupe/core/progress/progress-machine.js';

const META = { offset: 0, timestamp: 0, writer: { node: 'n', incarnation: 'i' } };
const partition = { p: 1, q: 2 };
const part = (records: number) => ({ partition, id: 't', records, position: { n: records } });

/** What a node knows that has read these, the last of them as it begins with a snapshot and again as it follows. */
function after(...entries: readonly PositionEntry[]) {
  let state = positionMachine.initial();
  for (const entry of entries) {
    const decoded = positionMachine.decode(JSON.parse(JSON.stringify(entry)));
    assert.ok(decoded !== null);
    state = positionMachine.apply(state, decoded, META).state;
  }
  const begun = positionMachine.decodeSnapshot([...positionMachine.encodeSnapshot(state)]);
  assert.ok(begun !== null);
  assert.equal(positionMachine.digest(begun), positionMachine.digest(state));
  return { parts: partsOf(begun, 'c'), positions: positionsOf(begun, 'c') };
}

const says = (more: object, epoch = 5, unit = 'c/0'): PositionEntry => ({
  type: 'PROGRESS',
  unit,
  epoch,
  items: [],
  ...more,
});

test('a part counts until the position of its partition is said, and then no more', () => {
  const at = { partition: { q: 2, p: 1 }, position: { n: 9 } };
  assert.deepEqual(after(says({ parts: [part(3)] }), says({ parts: [part(4)] })).parts, [part(4)]);
  assert.deepEqual(after(says({ parts: [part(3)] }), says({ items: [at] })).parts, []);
  // The end of one transaction, and a part of the next.
  assert.deepEqual(after(says({ parts: [part(3)] }), says({ items: [at], parts: [part(1)] })).parts, [
    part(1),
  ]);
});

test('a part is forgotten with its partition, by its own word, and with what is reset or dropped', () => {
  const first = says({ parts: [part(3)] });
  assert.deepEqual(after(first, says({ retired: ['{"p":1,"q":2}'] })).parts, []);
  assert.deepEqual(after(first, says({ parts: [part(0)] })).parts, []);
  assert.deepEqual(after(first, { type: 'RESET', connector: 'c', items: null }).parts, []);
  const set = { partition, position: { n: 1 } };
  const other = { partition: { p: 7 }, position: { n: 1 } };
  assert.deepEqual(after(first, { type: 'RESET', connector: 'c', items: [set] }).parts, []);
  assert.deepEqual(after(first, { type: 'RESET', connector: 'c', items: [other] }).parts, [part(3)]);
  assert.deepEqual(after(first, { type: 'DROP', connector: 'c' }).parts, []);
});

test('a late word of an older epoch changes no part, whichever task of the connector says it', () => {
  const newer = says({ parts: [part(8)] }, 7, 'c/1');
  assert.deepEqual(after(newer, says({ parts: [part(3)] }, 6)).parts, [part(8)]);
  assert.deepEqual(after(newer, says({ parts: [part(0)] }, 6)).parts, [part(8)]);
  const moved = says({ items: [{ partition, position: { n: 9 } }] }, 7, 'c/1');
  assert.deepEqual(after(moved, says({ parts: [part(3)] }, 6)).parts, []);
});
