/** A thread's signs of life in shared memory, written by its own timer: who reads them asks nobody. */
import v8 from 'node:v8';
import { QuietHeap } from '../../core/quiet-heap.js';
import { collectGarbage } from './collect-garbage.js';
import { untilWholeSecondMs } from './whole-seconds.js';

export const BEAT_MS = 250;
const QUIET_UTILIZATION = 0.05;
const QUIET_GROWTH_BYTES = 1024 * 1024;

const BEAT = 0;
const HEAP_KB = 1;
const OVER_SOFT = 2;
const EXTERNAL_KB = 3;
const OVER_EXTERNAL = 4;
const POOL_CALLS = 5;
const SLOTS = 6;

/** Beats in a row above a mark, each after a collection, that make a fault. */
const LIMIT_BEATS = 2;
/** Looking at what is under way costs more than the rest of a beat. */
const BEATS_PER_CALL_COUNT = 4;

export type PulseBuffer = Int32Array<SharedArrayBuffer>;

export function newPulse(): PulseBuffer {
  return new Int32Array(new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT));
}

export interface PulseReading {
  readonly beat: number;
  readonly heapUsedBytes: number;
  readonly overSoftLimit: boolean;
  /** Outside the heap: Buffers, large strings. */
  readonly externalBytes: number;
  readonly overExternalLimit: boolean;
  /** Calls for files and names that are under way in the process's thread pool, or wait for it. */
  readonly poolCalls: number;
}

export function readPulse(pulse: PulseBuffer): PulseReading {
  return {
    beat: Atomics.load(pulse, BEAT),
    heapUsedBytes: Atomics.load(pulse, HEAP_KB) * 1024,
    overSoftLimit: Atomics.load(pulse, OVER_SOFT) >= LIMIT_BEATS,
    externalBytes: Atomics.load(pulse, EXTERNAL_KB) * 1024,
    overExternalLimit: Atomics.load(pulse, OVER_EXTERNAL) >= LIMIT_BEATS,
    poolCalls: Atomics.load(pulse, POOL_CALLS),
  };
}

export interface PulseLimits {
  readonly softLimitBytes: number;
  readonly externalLimitBytes?: number;
  /** After which the thread is taken for hung. Default: none. */
  readonly beatDeadlineMs?: number;
}

/** Starts beating in the calling thread. */
export function startPulse(
  pulse: PulseBuffer,
  { softLimitBytes, externalLimitBytes = Infinity, beatDeadlineMs = Infinity }: PulseLimits,
): Disposable {
  // Of a thread that has little to do, and whose memory does not grow: a beat costs it more than the rest.
  const quietBeatMs = (): number => Math.max(BEAT_MS, Math.min(untilWholeSecondMs(), beatDeadlineMs / 4));
  let turned = performance.eventLoopUtilization();
  let looked = performance.now();
  let heldBefore = 0;
  let isQuiet = false;
  const heap = new QuietHeap();
  const beat = (): void => {
    const count = Atomics.add(pulse, BEAT, 1);
    const now = performance.now();
    const turns = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(turns, turned);
    let { used_heap_size: used, external_memory: external } = v8.getHeapStatistics();
    // Both include garbage. Only what a collection leaves is held, and only that is worth a restart.
    const isOver = used > softLimitBytes || external > externalLimitBytes;
    if (isOver || heap.isToCollect(now - looked, utilization, used + external)) {
      collectGarbage();
      ({ used_heap_size: used, external_memory: external } = v8.getHeapStatistics());
      heap.collected(used + external);
    }
    Atomics.store(pulse, HEAP_KB, Math.ceil(used / 1024));
    Atomics.store(pulse, EXTERNAL_KB, Math.ceil(external / 1024));
    countOver(pulse, OVER_SOFT, used > softLimitBytes);
    countOver(pulse, OVER_EXTERNAL, external > externalLimitBytes);
    if (isQuiet || count % BEATS_PER_CALL_COUNT === 0) Atomics.store(pulse, POOL_CALLS, poolCalls());
    isQuiet =
      utilization < QUIET_UTILIZATION &&
      used + external - heldBefore < QUIET_GROWTH_BYTES &&
      used <= softLimitBytes &&
      external <= externalLimitBytes;
    [looked, turned] = [now, turns];
    heldBefore = used + external;
    timer = setTimeout(beat, isQuiet ? quietBeatMs() : BEAT_MS);
  };
  let timer: NodeJS.Timeout | undefined;
  beat();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
    },
  };
}

function countOver(pulse: PulseBuffer, slot: number, over: boolean): void {
  if (over) Atomics.add(pulse, slot, 1);
  else Atomics.store(pulse, slot, 0);
}

/** Those of compression and cryptography cannot be seen. */
function poolCalls(): number {
  return process.getActiveResourcesInfo().filter((type) => /^FSReq|^Get(Addr|Name)Info/.test(type)).length;
}
