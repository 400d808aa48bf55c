/** With so many files that looking at all of them takes long, a task that finds nothing new pauses in proportion. */
const FEW_FILES = 500;
const REST_FOR_WORK = 4;
const LONGEST_REST_MS = 5000;

export class Rest {
  #until = -Infinity;

  /** All of `files` were looked at from `from` to `now`, in milliseconds of any clock, and nothing was new. */
  begin(files: number, from: number, now: number): void {
    if (files > FEW_FILES) this.#until = now + Math.min((now - from) * REST_FOR_WORK, LONGEST_REST_MS);
  }

  end(): void {
    this.#until = -Infinity;
  }

  isOn(now: number): boolean {
    return now < this.#until;
  }
}
