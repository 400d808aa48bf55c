/** Runs so many pieces of work at once; more wait for their turn. */
export class AtOnce {
  readonly #most: number;
  readonly #turns: (() => void)[] = [];
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running += 1;
    // Whoever ends hands its place on.
    else await new Promise<void>((resolve) => this.#turns.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#turns.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
