import { MessageChannel, Worker, type MessagePort, type Transferable } from 'node:worker_threads';
import type { SpareData, ThreadData } from '../actors/kernel/control.js';
import type { ActorSpec } from '../actors/kernel/protocol.js';

const THREAD_MODULE = new URL('../actors/kernel/thread.js', import.meta.url);
const THREAD_FILE = new URL('../actors/kernel/thread-file.cjs', import.meta.url);

/** A thread, and the port to the kernel in it: what arrives there was sent by no plugin. */
export interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
}

/** Throws when the thread cannot be made. */
export function newThread(
  name: string,
  data: Omit<ThreadData, 'port'> | Omit<SpareData, 'port'>,
  { heap: { maxOldMb, maxYoungMb } }: Pick<ActorSpec, 'heap'>,
  transferList: Transferable[] = [],
): Thread {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(data.file === undefined ? THREAD_MODULE : THREAD_FILE, {
    name,
    workerData: { ...data, port: port2 },
    transferList: [...transferList, port2],
    // What is written there by way of the main thread has no bound. Nobody reads it: the thread's lines go to the log.
    stdout: true,
    stderr: true,
    resourceLimits: {
      maxOldGenerationSizeMb: maxOldMb,
      ...(maxYoungMb === undefined ? {} : { maxYoungGenerationSizeMb: maxYoungMb }),
    },
  });
  return { worker, port: port1 };
}
