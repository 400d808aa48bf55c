import { setTimeout as sleep } from 'node:timers/promises';

/** Rejects when the signal comes first. */
type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/** So many times as long as at first. */
const MOST_PATIENCE = 8;

/**
 * How many threads begin at once: a thousand that are woken, or made, in one moment take no longer in turn, and hold less.
 * One that takes long, as where a plugin connects, gives its place to the next: it holds up nobody for long. The more of them there
 * are, the later: where all are slow because the machine is busy, more at once would be slower still, and hundreds of threads.
 */
export class StartSlots {
  readonly #most: number;
  readonly #longestMs: number;
  readonly #pause: Pause;
  #taken = 0;
  /** Under way without a place, as they have taken long. */
  #slow = 0;
  /** Bounded by the units of this node: each starts once at a time. */
  readonly #waiting: (() => void)[] = [];

  /** `longestMs`: after which a start that is under way is a slow one, while there are no others. */
  constructor(
    most: number,
    longestMs: number,
    pause: Pause = (ms, signal) => sleep(ms, undefined, { signal }),
  ) {
    this.#most = most;
    this.#longestMs = longestMs;
    this.#pause = pause;
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
    const patience = Math.min(MOST_PATIENCE, 1 + this.#slow / this.#most);
    await this.#pause(this.#longestMs * patience, started).catch(() => undefined);
    if (!started.aborted) {
      this.#slow += 1;
      started.addEventListener('abort', () => (this.#slow -= 1), { once: true });
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
