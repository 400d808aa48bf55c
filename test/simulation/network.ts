import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

export type Fate = 'done' | 'lost' | 'late' | 'repeated' | 'answer lost' | 'torn';

/** The longest that something which was sent may still arrive after its sender gave it up. */
const LATE_MS = 4000;
const FAST_MS = 40;
const SLOW_MS = 2000;

/** How messages fare. When it is calm they arrive, once and soon. */
export class Network {
  calm = false;
  /** Nothing arrives late after this time. */
  calmFrom = Infinity;
  readonly random: Random;
  readonly #time: VirtualTime;
  /** Clients of this log send again what was not answered. */
  readonly #repeats: boolean;
  readonly #onLate: () => void;

  constructor(time: VirtualTime, random: Random, repeats: boolean, onLate: () => void) {
    this.#time = time;
    this.random = random;
    this.#repeats = repeats;
    this.#onLate = onLate;
  }

  /** Of a message that goes that way so many times, and is sent in so many milliseconds. */
  latency(times = 1, sentInMs = 0): number {
    const slow = !this.calm && this.random.chance(2);
    const ms = times * (1 + this.random.next(slow ? SLOW_MS : FAST_MS));
    if (!slow) return ms;
    // What is still under way when the trouble is over would be a change that comes after the last one.
    const untilCalm = this.calmFrom - this.#time.now - sentInMs;
    return Math.min(ms, Math.max(times * FAST_MS, untilCalm));
  }

  fate(cutOff: boolean): Fate {
    if (this.calm) return 'done';
    const { random } = this;
    if (random.chance(cutOff ? 50 : 1)) return random.chance(40) ? 'late' : 'lost';
    if (random.chance(1)) return 'answer lost';
    if (!this.#repeats) return 'done';
    if (random.chance(4)) return 'repeated';
    return random.chance(2) ? 'torn' : 'done';
  }

  arriveLate(action: () => void): void {
    this.#time.after(
      Math.min(this.random.next(LATE_MS), Math.max(0, this.calmFrom - this.#time.now)),
      () => {
        this.#onLate();
        action();
      },
      null,
    );
  }
}
