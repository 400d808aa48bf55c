import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { ReplicaPort } from '#troupe/core/replica/replica-port.js';
import { SnapshotSchedule } from '#troupe/core/replica/snapshot-schedule.js';

const HOUR = 3_600_000;
const POLICY = { entries: 10, bytes: 1000 };
/** Its hash makes it as patient as nodes are at most, or less. */
const WRITER = { node: 'n', incarnation: 'i' };

/** Without an interval records stay until they are trimmed. */
function portOf(now: () => number, everyMs?: number): ReplicaPort {
  return {
    append: () => Promise.resolve(0),
    read: () => Promise.reject(new Error('not read here')),
    trim: () => Promise.resolve(),
    ...(everyMs === undefined ? {} : { snapshots: { everyMs, now } }),
  };
}

test('where records vanish with age a snapshot is due in time, also when nothing happens', () => {
  let now = 0;
  const schedule = new SnapshotSchedule(
    portOf(() => now, 6 * HOUR),
    WRITER,
    POLICY,
  );
  // An old one, read while booting: its age is not known.
  schedule.written(0);
  schedule.following();
  assert.equal(schedule.due, false);
  now += HOUR;
  assert.equal(schedule.due, true);
  schedule.written(0);
  now += 5 * HOUR;
  assert.equal(schedule.due, false);
  now += 3 * HOUR;
  assert.equal(schedule.due, true);
});

test('one that could not be written is tried again, but not at once', async () => {
  let now = 0;
  const port = { ...portOf(() => now, HOUR), append: () => Promise.reject(new Error('full')) };
  const schedule = new SnapshotSchedule(port, WRITER, POLICY);
  schedule.following();
  now += HOUR;
  schedule.write(0, [], () => undefined);
  await schedule.settled();
  assert.equal(schedule.due, false);
  now += HOUR;
  assert.equal(schedule.due, true);
});

test('where records stay until they are trimmed, age alone makes none due', () => {
  let now = 0;
  const schedule = new SnapshotSchedule(
    portOf(() => now),
    WRITER,
    POLICY,
  );
  schedule.following();
  now += 10_000 * HOUR;
  assert.equal(schedule.due, false);
});

test('a large snapshot is not written again before several times its size has followed it', () => {
  const schedule = new SnapshotSchedule(
    portOf(() => 0),
    WRITER,
    { ...POLICY, partBytes: 100 },
  );
  const count = (entries: number): void => {
    for (let i = 0; i < entries; i += 1) schedule.counted(10);
  };
  count(20);
  assert.equal(schedule.due, true);
  schedule.written(0, 11);
  count(200);
  assert.equal(schedule.due, false);
  count(400);
  assert.equal(schedule.due, true);
});

test('of the many nodes of a large cluster few write a snapshot before they see the first one', () => {
  const nodes = Array.from({ length: 1000 }, (_, i) => {
    const schedule = new SnapshotSchedule(
      portOf(() => 0),
      { node: `node-${i}`, incarnation: 'i' },
      { entries: 4096, bytes: 1e9 },
    );
    schedule.writers = 1000;
    return schedule;
  });
  const due = (): number => nodes.filter((schedule) => schedule.due).length;
  let entries = 0;
  while (due() === 0) {
    for (const schedule of nodes) schedule.counted(100);
    entries += 1;
    assert.ok(entries < 5000, 'nobody writes one');
  }
  // The snapshot is on its way for as long as so many entries are.
  for (let i = 0; i < 100; i += 1) for (const schedule of nodes) schedule.counted(100);
  assert.ok(due() < 20, `${due()} write one`);
});
