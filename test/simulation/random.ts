/** Numbers from a seed. `next(n)` is from 0 to n - 1. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  }

  chance(percent: number): boolean {
    return this.next(100) < percent;
  }

  pick<T>(items: readonly T[]): T | undefined {
    return items[this.next(Math.max(1, items.length))];
  }
}
