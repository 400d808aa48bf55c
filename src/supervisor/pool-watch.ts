/**
 * The thread pool of libuv: one for all threads of the process, which takes files, host names, compression and
 * cryptography, and the store's commits. A call in it cannot be ended, not even with the thread that made it.
 */
import { randomFill } from 'node:crypto';

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
