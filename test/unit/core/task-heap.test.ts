import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadHeap } from '#troupe/core/task-heap.js';

const node = { heapMb: 256, softShare: 0.8, ceilingMb: 1024, externalMb: 512 };
const markMb = (own: string | undefined, memory = node): number => {
  const { maxOldMb, softLimit } = threadHeap(memory, own);
  return maxOldMb * softLimit;
};

test('a connector has the heap that it asks for, up to what the node allows', () => {
  assert.equal(markMb(undefined), 0.8 * 256);
  assert.equal(markMb('512'), 0.8 * 512);
  assert.equal(markMb('4096'), 0.8 * 1024);
  assert.equal(
    markMb('4096', { ...node, heapMb: 2048 }),
    0.8 * 2048,
    'the ceiling is not below the node’s own',
  );
  for (const nothing of ['', 'much', '-1', '0', '12.5', '${env:HEAP}'])
    assert.equal(markMb(nothing), 0.8 * 256);
});

test("V8's limit stands well above the mark, so that it is not met by one step of a growing collection", () => {
  for (const own of ['16', '256', '1024']) {
    const { maxOldMb } = threadHeap(node, own);
    assert.ok(maxOldMb >= 1024 && maxOldMb >= 4 * Number(own), `${maxOldMb}`);
  }
});
