import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRoom, reserveBytes } from '#troupe/core/disk-room.js';

const reserve = 16;
const NO_ROOM = { tail: 0, unused: 0 };

test('a disk with room is written to, and nothing more is asked', () => {
  assert.deepEqual(planRoom(5, true, { free: 21, ballast: 16, reserve }, NO_ROOM, false), { type: 'write' });
});

test('on a scarce disk records wait, and the node’s own writes may take all of the ballast', () => {
  const disk = { free: 20, ballast: 16, reserve };
  assert.deepEqual(planRoom(5, true, disk, NO_ROOM, false), { type: 'refuse' });
  assert.deepEqual(planRoom(5, false, disk, NO_ROOM, false), { type: 'extend', ballastStays: 0 });
  assert.deepEqual(planRoom(5, false, disk, { tail: 5, unused: 0 }, false), { type: 'write' });
});

test('on a scarce disk records go where the file itself has pages, and leave a quarter of the ballast', () => {
  const disk = { free: 0, ballast: 16, reserve };
  assert.deepEqual(planRoom(5, true, disk, { tail: 0, unused: 20 }, false), { type: 'refuse' });
  assert.deepEqual(planRoom(5, true, disk, { tail: 0, unused: 21 }, false), {
    type: 'extend',
    ballastStays: 4,
  });
  assert.deepEqual(planRoom(5, true, disk, { tail: 5, unused: 21 }, false), { type: 'write' });
});

test('where free space means nothing, room is made sure of, and records take no ballast for it', () => {
  const disk = { free: 1000, ballast: 16, reserve };
  assert.deepEqual(planRoom(5, true, disk, NO_ROOM, true), { type: 'extend', ballastStays: 16 });
  assert.deepEqual(planRoom(5, false, disk, NO_ROOM, true), { type: 'extend', ballastStays: 0 });
});

test('a small disk gives less for the reserve', () => {
  const MIB = 1024 * 1024;
  assert.equal(reserveBytes(1e12), 16 * MIB);
  assert.equal(reserveBytes(64 * MIB), 4 * MIB);
  assert.equal(reserveBytes(MIB), MIB);
});
