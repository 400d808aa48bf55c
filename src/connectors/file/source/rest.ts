/** How long nothing is looked at after all files were, and nothing was new. */

/** With more files looking at all of them takes long, and the pauses are in proportion. */
const FEW_FILES = 500;
const REST_FOR_WORK = 4;
const LONGEST_REST_MS = 5000;

/** Without news for so long, files are looked at less often than `poll.interval.ms` says: most changes are reported. */
const QUIET_AFTER_MS = 5000;

/** On the thread's clock the runtime does what it does each second: what wakes up together wakes up seldom. */
const SECOND_MS = 1000;

/** At the next whole second. */
export function wholeSecondAfter(now: number): number {
  return Math.floor(now / SECOND_MS + 1) * SECOND_MS;
}

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
    const quietUntil = now - this.#quietSince >= QUIET_AFTER_MS ? wholeSecondAfter(now) : now;
    this.#until = Math.max(now + Math.max(forWork, least), quietUntil);
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
