/** The garbage of the calling thread, once it is calm. */
import v8 from 'node:v8';
import { QuietHeap } from '../core/quiet-heap.js';
import { collectGarbage } from '../actors/kernel/collect-garbage.js';

/** `look`: now and then, with the time since the one before. */
export function collectWhenQuiet(): { readonly look: (elapsedMs: number) => void } {
  const heap = new QuietHeap();
  let turned = performance.eventLoopUtilization();
  return {
    look: (elapsedMs) => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, turned);
      turned = now;
      if (!heap.isToCollect(elapsedMs, utilization, heldBytes())) return;
      collectGarbage();
      heap.collected(heldBytes());
    },
  };
}

function heldBytes(): number {
  const { used_heap_size, external_memory } = v8.getHeapStatistics();
  return used_heap_size + external_memory;
}
