interface Waiting {
  readonly culprit: string;
  readonly start: () => void;
}

/** So many may wait; a client that asks on is told so. */
const MAX_WAITING = 1000;

/**
 * Who runs next on a few threads. What hangs is of one culprit mostly: that may hold all threads but one, so that work
 * of others need not wait for it. Of one thread there is nothing to keep free.
 */
export class FairQueue {
  readonly #limit: number;
  readonly #running = new Map<string, number>();
  #total = 0;
  #waiting: Waiting[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Does the work when it is its turn. Rejects with the signal's reason when that is aborted before. `displace`: called
   * when it would have to wait; true: it has ended what is under way, and the work takes its place.
   */
  async run<T>(
    culprit: string,
    signal: AbortSignal,
    work: () => Promise<T>,
    displace: () => boolean = () => false,
  ): Promise<T> {
    await this.#turn(culprit, signal, displace);
    try {
      return await work();
    } finally {
      this.#count(culprit, -1);
      this.#next();
    }
  }

  #turn(culprit: string, signal: AbortSignal, displace: () => boolean): Promise<void> {
    if (signal.aborted) return Promise.reject(reasonOf(signal));
    if (this.#mayRun(culprit)) {
      this.#count(culprit, 1);
      return Promise.resolve();
    }
    const first = displace();
    if (this.#waiting.length >= MAX_WAITING)
      return Promise.reject(new Error(`more than ${MAX_WAITING} plans and validations wait already`));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        reject(reasonOf(signal));
      };
      const waiting: Waiting = {
        culprit,
        start: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      if (first) this.#waiting.unshift(waiting);
      else this.#waiting.push(waiting);
    });
  }

  #next(): void {
    for (const waiting of [...this.#waiting]) {
      if (!this.#mayRun(waiting.culprit)) continue;
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      this.#count(waiting.culprit, 1);
      waiting.start();
    }
  }

  #mayRun(culprit: string): boolean {
    const own = this.#running.get(culprit) ?? 0;
    return this.#total < this.#limit && own < Math.max(1, this.#limit - 1);
  }

  #count(culprit: string, by: 1 | -1): void {
    this.#total += by;
    const own = (this.#running.get(culprit) ?? 0) + by;
    if (own === 0) this.#running.delete(culprit);
    else this.#running.set(culprit, own);
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('given up');
}
