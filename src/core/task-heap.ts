/** What a task may keep in memory, and where its thread is ended. */
export interface TaskMemory {
  /** `task.heap.max.mb` of the node. */
  readonly heapMb: number;
  /** `task.heap.soft.limit`. */
  readonly softShare: number;
  /** The most that a connector may set for its tasks. */
  readonly ceilingMb: number;
  /** Outside the heap. */
  readonly externalMb: number;
}

export interface ThreadHeap {
  readonly maxOldMb: number;
  readonly softLimit: number;
  readonly maxExternalMb: number;
}

const ROOM = 4;
const MIN_LIMIT_MB = 1024;

/**
 * V8 ends the whole process when a single step, such as doubling the table of a Map, does not fit below the limit of a
 * heap: so that limit stands well above the mark at which the thread is ended in order. Below 1 GB the table of a growing
 * Map meets it; above, the Map's own bound comes first.
 */
export function limitAbove(markMb: number): number {
  return Math.max(MIN_LIMIT_MB, ROOM * markMb);
}

/** `own`: what the connector's config says. What is no number, or none that is allowed, says nothing. */
export function threadHeap(memory: TaskMemory, own: string | undefined): ThreadHeap {
  const asked = Number(own);
  const ceiling = Math.max(memory.ceilingMb, memory.heapMb);
  const heapMb = Number.isInteger(asked) && asked >= MIN_OWN_MB ? Math.min(asked, ceiling) : memory.heapMb;
  const maxOldMb = limitAbove(heapMb);
  return { maxOldMb, softLimit: (memory.softShare * heapMb) / maxOldMb, maxExternalMb: memory.externalMb };
}

/** Of `task.heap.max.mb`, of a node as of a connector. */
export const MIN_OWN_MB = 16;
