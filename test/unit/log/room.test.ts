import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reserveBytes } from '#troupe/core/disk-room.js';
import type { Disk } from '#troupe/log/embedded/disk.js';
import { Room } from '#troupe/log/embedded/room.js';
import type { Change } from '#troupe/log/embedded/staging.js';
import { LogError } from '#troupe/log/log.js';

const MB = 1024 * 1024;
const TOTAL = 64 * MB;
const RESERVE = reserveBytes(TOTAL);
const CHANGES: readonly Change[] = [{ key: ['f', 'key'], value: Buffer.alloc(100) }];

class FakeDisk implements Disk {
  free = TOTAL;
  /** As under a quota: what may be written, whatever is free. */
  allowed = Infinity;
  data = 0;
  ballast = 0;

  space(): { readonly free: number; readonly total: number } {
    return { free: this.free, total: TOTAL };
  }

  size(path: string): number {
    return this[nameOf(path)];
  }

  lengthen(path: string, bytes: number): void {
    const fits = Math.min(bytes, this.free, this.allowed);
    this[nameOf(path)] += fits;
    this.free -= fits;
    if (fits < bytes) throw Object.assign(new Error('no space left'), { errno: -28 });
  }

  shorten(path: string, to: number): void {
    const name = nameOf(path);
    this.free += this[name] - to;
    this[name] = to;
  }
}

function nameOf(path: string): 'data' | 'ballast' {
  return path.endsWith('ballast') ? 'ballast' : 'data';
}

function roomOn(disk: Disk): Room {
  return new Room({
    dataFile: '/log/data.mdb',
    disk,
    pages: () => ({ pageSize: 4096, last: -1, unused: 0 }),
  });
}

const isFull = (error: unknown): boolean => error instanceof LogError && error.code === 'LOG_FULL';

test('of the ballast no more is given up than a write of the node needs, and a piece', () => {
  const disk = new FakeDisk();
  Object.assign(disk, { free: 0, ballast: RESERVE });
  roomOn(disk).provide(CHANGES, false);
  assert.ok(disk.data > 500 * 1024, `${disk.data} bytes were made sure of`);
  assert.ok(disk.ballast > RESERVE - MB, `${disk.ballast} bytes of the ballast are left`);
});

test('the ballast is taken back where there is more room than what records leave free, and not before', () => {
  const disk = new FakeDisk();
  const room = roomOn(disk);
  disk.free = RESERVE;
  room.provide(CHANGES, false);
  room.restore();
  assert.equal(disk.ballast, 0);
  disk.free = 4 * RESERVE;
  room.provide(CHANGES, false);
  room.restore();
  assert.equal(disk.ballast, MB);
});

test('once lmdb has failed to write, free space is not believed: the file is lengthened first, or the write refused', () => {
  const disk = new FakeDisk();
  const room = roomOn(disk);
  room.provide(CHANGES, true);
  assert.equal(disk.data, 0, 'there is plenty');
  room.mistrust();
  room.provide(CHANGES, true);
  assert.ok(disk.data > 500 * 1024);
  disk.data = 0;
  disk.allowed = 0;
  assert.throws(() => room.provide(CHANGES, true), isFull);
});
