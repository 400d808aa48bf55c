/** A thread's signs of life in shared memory, written by its own timer: who reads them asks nobody. */
import v8 from 'node:v8';
import vm from 'node:vm';

export const BEAT_MS = 250;

const BEAT = 0;
const HEAP_KB = 1;
const OVER_SOFT = 2;

/** Beats in a row above the soft mark, each after a collection, that make a fault. */
const SOFT_LIMIT_BEATS = 2;

export type PulseBuffer = Int32Array<SharedArrayBuffer>;

export function newPulse(): PulseBuffer {
  return new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
}

export function readPulse(pulse: PulseBuffer): {
  beat: number;
  heapUsedBytes: number;
  overSoftLimit: boolean;
} {
  return {
    beat: Atomics.load(pulse, BEAT),
    heapUsedBytes: Atomics.load(pulse, HEAP_KB) * 1024,
    overSoftLimit: Atomics.load(pulse, OVER_SOFT) >= SOFT_LIMIT_BEATS,
  };
}

/** Starts beating in the calling thread. */
export function startPulse(pulse: PulseBuffer, softLimitBytes: number): NodeJS.Timeout {
  const beat = (): void => {
    Atomics.add(pulse, BEAT, 1);
    let used = v8.getHeapStatistics().used_heap_size;
    // Used includes garbage. Only what a collection leaves is held, and only that is worth a restart.
    if (used > softLimitBytes) {
      collectGarbage();
      used = v8.getHeapStatistics().used_heap_size;
    }
    Atomics.store(pulse, HEAP_KB, Math.ceil(used / 1024));
    if (used > softLimitBytes) Atomics.add(pulse, OVER_SOFT, 1);
    else Atomics.store(pulse, OVER_SOFT, 0);
  };
  beat();
  return setInterval(beat, BEAT_MS);
}

let gc: (() => void) | null = null;

/** Node gives `gc` only under a flag; set late, it is seen by contexts made afterwards. */
function collectGarbage(): void {
  if (gc === null) {
    v8.setFlagsFromString('--expose-gc');
    const found: unknown = vm.runInNewContext('globalThis.gc');
    gc = isFunction(found) ? found : () => undefined;
  }
  gc();
}

function isFunction(value: unknown): value is () => void {
  return typeof value === 'function';
}
