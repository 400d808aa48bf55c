import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PositionPages } from '#troupe/actors/persistence/position-pages.js';
import { partitionMatches } from '#troupe/sdk/partitions.js';

const positions = Array.from({ length: 5000 }, (_, at) => ({
  partition: { table: at, even: at % 2 === 0 },
  position: { at },
}));

function readAll(pages: PositionPages, match: { even: boolean } | null): number[] {
  const read: number[] = [];
  for (let page = pages.begin('c', match); ; page = pages.next(page.cursor)) {
    assert.ok(page.positions.length <= 2000, 'one message is bounded');
    read.push(...page.positions.map(({ position }) => Number(position['at'])));
    if (page.cursor === null) return read;
  }
}

test('positions are read in pages, as they were at the beginning, also where some are retired meanwhile', () => {
  const present = [...positions];
  const pages = new PositionPages((connector) => (connector === 'c' ? [...present] : []));
  assert.deepEqual(pages.begin('other', null), { positions: [], cursor: null });
  const first = pages.begin('c', null);
  present.splice(0, 4000);
  let count = first.positions.length;
  for (let { cursor } = first; cursor !== null;) {
    const page = pages.next(cursor);
    count += page.positions.length;
    ({ cursor } = page);
  }
  assert.equal(count, 5000);
});

test('those of some fields are read alone', () => {
  const pages = new PositionPages(() => positions);
  assert.deepEqual(readAll(pages, null).length, 5000);
  const even = readAll(pages, { even: true });
  assert.ok(even.length === 2500 && even.every((at) => at % 2 === 0));
});

test('readers that went away are forgotten, and one that comes back too late is told', () => {
  const pages = new PositionPages(() => positions);
  const { cursor } = pages.begin('c', null);
  for (let i = 0; i < 8; i += 1) pages.begin('c', null);
  assert.throws(() => pages.next(cursor ?? 0), { code: 'POSITIONS_GONE' });
});

test('fields match by their values, whatever the order of what is in them', () => {
  const partition = { schema: 'public', shard: { a: 1, b: [2, { c: null }] } };
  assert.ok(partitionMatches(partition, {}));
  assert.ok(partitionMatches(partition, { shard: { b: [2, { c: null }], a: 1 } }));
  for (const match of [
    { schema: 'private' },
    { other: null },
    { shard: { a: 1 } },
    { shard: { a: 1, b: [2, { c: null }], d: null } },
    { shard: { a: 1, b: [2, {}] } },
    { shard: { a: 1, b: { 0: 2, 1: { c: null } } } },
    { toString: 'x' },
  ])
    assert.ok(!partitionMatches(partition, match), JSON.stringify(match));
});
