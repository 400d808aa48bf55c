/** How long nothing is looked at after all files were, and nothing was new. */

/** With more files looking at all of them takes long, and the pauses are in proportion. */
const FEW_FILES = 500;
const REST_FOR_WORK = 4;
const LONGEST_REST_MS = 5000;

/** Without news for so long, files are looked at less often than `poll.interval.ms` says: most changes are reported. */
const QUIET_AFTER_MS = 5000;
const QUIET_REST_MS = 1000;

export class Rest {
  /** Since then nothing was new. */
  #quietSince: number | null = null;
  #until = -Infinity;

  /**
   * All of `files` were looked at from `from` to `now`, in milliseconds of any clock, and nothing was new. The rest is
   * `least` long.
   */
  begin(files: number, from: number, now: number, least: number): void {
    this.#quietSince ??= now;
    const forWork = files > FEW_FILES ? Math.min((now - from) * REST_FOR_WORK, LONGEST_REST_MS) : 0;
    const forQuiet = now - this.#quietSince >= QUIET_AFTER_MS ? QUIET_REST_MS : 0;
    this.#until = now + Math.max(forWork, forQuiet, least);
  }

  /** There is something new, or may be. */
  end(): void {
    this.#quietSince = null;
    this.#until = -Infinity;
  }

  isOn(now: number): boolean {
    return now < this.#until;
  }

  /** On the clock of `begin`. */
  get until(): number {
    return this.#until;
  }
}
