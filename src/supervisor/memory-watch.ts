import { totalmem } from 'node:os';
import { processMemory } from '../actors/kernel/process-memory.js';
import { memoryCulprit } from '../core/culprits.js';
import type { SharedWatch, WatchedThreads } from './shared-watch.js';

/** Rounds after one was ended, until its memory is given back. */
const ROUNDS_TO_END = 5;
const SHARE = 0.8;
const MEGABYTE = 1024 * 1024;

/** For `node.memory.max.mb`: 0 is a share of what there is. */
export function memoryLimitBytes(megabytes: number): number {
  if (megabytes > 0) return megabytes * MEGABYTE;
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return SHARE * (constrained > 0 && constrained < total ? constrained : total);
}

/** Memory of the process: a task that takes so much of it that the node would die of it is ended. */
export class MemoryWatch implements SharedWatch {
  readonly #limitBytes: number;
  readonly #threads: WatchedThreads;
  readonly #used: () => number;
  #rest = 0;
  #said = false;

  constructor(limitBytes: number, threads: WatchedThreads, used: () => number = processMemory) {
    this.#limitBytes = limitBytes;
    this.#threads = threads;
    this.#used = used;
  }

  look(): void {
    this.#rest -= 1;
    if (this.#rest > 0) return;
    const used = this.#used();
    if (used <= this.#limitBytes) {
      this.#said = false;
      return;
    }
    const state = `the node holds ${mb(used)} MB, of at most ${mb(this.#limitBytes)} (node.memory.max.mb)`;
    const culprit = memoryCulprit(this.#threads.suspects(), this.#limitBytes);
    if (culprit !== null) {
      this.#rest = ROUNDS_TO_END;
      const share =
        culprit.silentMs > 0
          ? 'does not come to say how much of it is its own'
          : `holds ${mb(culprit.bytes)} MB of it`;
      culprit.thread.end({ code: 'NODE_MEMORY_LIMIT', message: `${state}, and this task ${share}` });
    } else if (!this.#said) {
      this.#said = true;
      this.#threads.onProblem(`${state}, and no task is known to be to blame`);
    }
  }
}

function mb(bytes: number): number {
  return Math.round(bytes / MEGABYTE);
}
