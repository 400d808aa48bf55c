/**
 * The thread pool of libuv: one for all threads of the process, which takes files, host names, compression and
 * cryptography, and the store's commits. A call in it cannot be ended, not even with the thread that made it.
 */
import { randomFill } from 'node:crypto';
import { poolCulprit } from '../core/culprits.js';
import type { SharedWatch, WatchedThreads } from './shared-watch.js';

const DEFAULT_SIZE = 4;
const MAX_SIZE = 1024;

/** How many threads the pool has. */
export function poolSize(): number {
  const given = Number(process.env['UV_THREADPOOL_SIZE'] ?? DEFAULT_SIZE);
  return Number.isInteger(given) && given > 0 ? Math.min(given, MAX_SIZE) : DEFAULT_SIZE;
}

/** Puts the least work into the pool that there is. */
function probe(onAnswer: () => void): void {
  randomFill(Buffer.alloc(1), onAnswer);
}

/** Whether it takes on work within so long. */
export function poolAnswers(withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(false);
    }, withinMs);
    probe(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Rounds without an answer that are more than a busy moment. */
const LATE_ROUNDS = 5;

/**
 * Whether the pool takes on work. When it does not, the node cannot go on: who has most calls in it is ended, which takes
 * back those that have not begun. Those that have begun hold their threads until they return.
 */
export class PoolWatch implements SharedWatch {
  readonly #threads: WatchedThreads;
  readonly #probe: (onAnswer: () => void) => void;
  #asked = false;
  #rounds = 0;
  #said = false;

  constructor(threads: WatchedThreads, ask: (onAnswer: () => void) => void = probe) {
    this.#threads = threads;
    this.#probe = ask;
  }

  look(): void {
    if (!this.#asked) this.#ask();
    else if (++this.#rounds % LATE_ROUNDS === 0) this.#late();
  }

  #ask(): void {
    this.#asked = true;
    this.#rounds = 0;
    this.#said = false;
    this.#probe(() => {
      this.#asked = false;
    });
  }

  #late(): void {
    const state = `the thread pool of the node (${poolSize()} threads, UV_THREADPOOL_SIZE) has taken on no work for ${this.#rounds} s`;
    const culprit = poolCulprit(this.#threads.suspects());
    if (culprit !== null) {
      const message = `${state}, and this task has ${culprit.poolCalls} calls for files or host names in it that do not return`;
      culprit.thread.end({ code: 'THREAD_POOL_LIMIT', message });
    } else if (!this.#said) {
      this.#said = true;
      this.#threads.onProblem(`${state}, and no task is known to be to blame`);
    }
  }
}
