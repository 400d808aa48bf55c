/** Each word goes to all nodes: what comes all at once is told once, and what changes all the time seldom. */
const SOON_MS = 500;
const SELDOM_MS = 10_000;

export class Seldom {
  readonly #now: () => number;
  readonly #tell: () => void;
  #timer: NodeJS.Timeout | null = null;
  #toldAt = -Infinity;

  /** `now`: milliseconds, monotonic. */
  constructor(now: () => number, tell: () => void) {
    this.#now = now;
    this.#tell = tell;
  }

  /** There is something to tell. */
  soon(): void {
    const wait = Math.max(SOON_MS, this.#toldAt + SELDOM_MS - this.#now());
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#toldAt = this.#now();
      this.#tell();
    }, wait).unref();
  }
}
