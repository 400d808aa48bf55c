import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuietHeap } from '#troupe/core/quiet-heap.js';

const MB = 1024 * 1024;
/** Looks once a second until it collects; how many looks that took, null for not within a minute. */
function looksUntilCollected(heap: QuietHeap, utilization: number, heldBytes: number): number | null {
  for (let looks = 1; looks <= 60; looks += 1)
    if (heap.isToCollect(1000, utilization, heldBytes)) return looks;
  return null;
}

test('garbage is collected once the thread has been calm for a while, and never while it is busy', () => {
  const heap = new QuietHeap();
  assert.equal(looksUntilCollected(heap, 0.9, 50 * MB), null);
  assert.equal(looksUntilCollected(heap, 0.01, 50 * MB), 10);
});

test('a thread that is busy now and then is not calm', () => {
  const heap = new QuietHeap();
  for (let second = 0; second < 60; second += 1)
    assert.equal(heap.isToCollect(1000, second % 5 === 0 ? 0.5 : 0, 50 * MB), false);
});

test('what a collection has left is not collected again until it has grown by much', () => {
  const heap = new QuietHeap();
  assert.equal(looksUntilCollected(heap, 0, 50 * MB), 10);
  heap.collected(40 * MB);
  assert.equal(looksUntilCollected(heap, 0, 50 * MB), null);
  heap.collected(40 * MB);
  assert.equal(looksUntilCollected(heap, 0, 53 * MB), 10);
});
