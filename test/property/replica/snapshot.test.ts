import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeRecord, type SnapshotPart } from '#troupe/core/replica/envelope.js';
import { packSnapshot, SnapshotCollector } from '#troupe/core/replica/snapshot.js';
import { random } from '../../support/random.js';

function partsOf(id: string): SnapshotPart[] {
  return packSnapshot(id, 7, ['one', 'two', 'three'], 1).map((value) => {
    const record = decodeRecord(value);
    assert.ok(record !== null && 'snapshot' in record);
    return record;
  });
}

test('snapshots that many nodes write at the same time are all found whole, in whatever order their parts come', (t) => {
  const { seed, next } = random();
  t.diagnostic(`TEST_SEED=${seed}`);
  const collector = new SnapshotCollector();
  // Some are torn: their writer died after its first part. These must not push out those that go on.
  for (let i = 0; i < 200; i += 1)
    for (const part of partsOf(`torn${i}`).slice(0, 1)) collector.add(part, true);
  const open = Array.from({ length: 150 }, (_, i) => partsOf(`whole${i}`));
  const found = new Set<string>();
  for (
    let left = open.filter((parts) => parts.length > 0);
    left.length > 0;
    left = open.filter((p) => p.length > 0)
  ) {
    const part = left[next(left.length)]?.shift();
    const whole = part === undefined ? null : collector.add(part, true);
    if (whole === null) continue;
    assert.deepEqual(whole.items, ['one', 'two', 'three']);
    found.add(whole.id);
  }
  assert.equal(found.size, 150);
});
