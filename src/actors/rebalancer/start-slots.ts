import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How many threads begin at once: a thousand that are woken, or made, in one moment take no longer in turn, and hold less.
 * One that takes long, as where a plugin connects, gives its place to the next: it holds up nobody.
 */
export class StartSlots {
  readonly #most: number;
  readonly #longestMs: number;
  #taken = 0;
  /** Bounded by the units of this node: each starts once at a time. */
  readonly #waiting: (() => void)[] = [];

  constructor(most: number, longestMs: number) {
    this.#most = most;
    this.#longestMs = longestMs;
  }

  async run(start: () => Promise<void>): Promise<void> {
    if (this.#taken < this.#most) this.#taken += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const started = new AbortController();
    const starting = start().finally(() => {
      started.abort();
    });
    void this.#giveBack(started.signal);
    await starting;
  }

  /** To the one that has waited longest. */
  async #giveBack(started: AbortSignal): Promise<void> {
    await sleep(this.#longestMs, undefined, { signal: started }).catch(() => undefined);
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
