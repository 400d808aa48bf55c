import { Worker, type Transferable } from 'node:worker_threads';
import type { SpareData, ThreadData } from '../actors/kernel/control.js';
import type { ActorSpec } from '../actors/kernel/protocol.js';

const THREAD_MODULE = new URL('../actors/kernel/thread.js', import.meta.url);

/** Throws when the thread cannot be made. */
export function threadWorker(
  name: string,
  data: ThreadData | SpareData,
  { maxOldMb, maxYoungMb }: ActorSpec['heap'],
  transferList: Transferable[] = [],
): Worker {
  return new Worker(THREAD_MODULE, {
    name,
    workerData: data,
    transferList,
    resourceLimits: {
      maxOldGenerationSizeMb: maxOldMb,
      ...(maxYoungMb === undefined ? {} : { maxYoungGenerationSizeMb: maxYoungMb }),
    },
  });
}
