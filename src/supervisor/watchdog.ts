import { BEAT_MS } from '../actors/kernel/pulse.js';
import { collectWhenQuiet } from './collect-when-quiet.js';

export interface Watched {
  watch(elapsedMs: number): void;
  sampleLoop(): void;
}

const ROUNDS_PER_SAMPLE = 4;

/**
 * Looks at every thread's pulse and deadlines. A process that was suspended or starved finds all beats old when it goes
 * on, and the watchdog itself is as late as they are: of a late round only the usual time is counted.
 */
export class Watchdog {
  readonly #threads: () => Iterable<Watched>;
  readonly #now: () => number;
  /** Of the supervisor itself. */
  readonly #garbage = collectWhenQuiet();
  #last: number;
  #round = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(threads: () => Iterable<Watched>, now: () => number) {
    this.#threads = threads;
    this.#now = now;
    this.#last = now();
  }

  start(): void {
    this.#last = this.#now();
    this.#timer = setInterval(() => {
      this.look();
    }, BEAT_MS);
  }

  look(): void {
    const now = this.#now();
    const elapsed = now - this.#last;
    this.#last = now;
    const counted = elapsed < 2 * BEAT_MS ? elapsed : BEAT_MS;
    this.#round += 1;
    if (this.#round % ROUNDS_PER_SAMPLE === 0) this.#garbage.look(ROUNDS_PER_SAMPLE * BEAT_MS);
    for (const thread of this.#threads()) {
      thread.watch(counted);
      if (this.#round % ROUNDS_PER_SAMPLE === 0) thread.sampleLoop();
    }
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}
