export interface Intensity {
  /** More restarts than this within the period: the supervisor gives up. */
  readonly restarts: number;
  readonly periodMs: number;
}

/** Counts restarts within a sliding period. Remembers at most `restarts` + 1 of them. */
export class RestartWindow {
  readonly #intensity: Intensity;
  #times: number[] = [];

  constructor(intensity: Intensity) {
    this.#intensity = intensity;
  }

  /** How many restarts are allowed within the period. */
  get most(): number {
    return this.#intensity.restarts;
  }

  /** Notes a restart that is about to be made; false when it is one too many. */
  record(nowMs: number): boolean {
    this.#forget(nowMs);
    if (this.#times.length <= this.#intensity.restarts) this.#times.push(nowMs);
    return this.#times.length <= this.#intensity.restarts;
  }

  /** Restarts noted within the period. */
  count(nowMs: number): number {
    this.#forget(nowMs);
    return this.#times.length;
  }

  #forget(nowMs: number): void {
    this.#times = this.#times.filter((time) => nowMs - time < this.#intensity.periodMs);
  }
}
