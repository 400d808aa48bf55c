import type { Stall } from '../../core/model.js';

/** A cause that changes with every try is not told with every try. */
const CAUSE_EVERY_MS = 5000;

/** What a task waits for, by what noticed it: the one that has lasted longest is told. As many as there are kinds of calls. */
export class Stalls {
  readonly #now: () => number;
  readonly #onChange: () => void;
  readonly #known = new Map<string, Stall>();
  #told: Stall | null = null;
  #toldAt = -Infinity;

  /** `now`: milliseconds, of any clock. */
  constructor(now: () => number, onChange: () => void) {
    this.#now = now;
    this.#onChange = onChange;
  }

  /** What to tell. */
  get longest(): Stall | null {
    return this.#told;
  }

  /** `noticed`: by what; each clears only its own. */
  set(noticed: string, stall: Stall | null): void {
    if (stall === null) this.#known.delete(noticed);
    else this.#known.set(noticed, stall);
    let longest: Stall | null = null;
    for (const each of this.#known.values())
      if (longest === null || each.since < longest.since) longest = each;
    const told = this.#told;
    const isSame = longest?.since === told?.since && longest?.call === told?.call;
    if (isSame && (longest?.cause === told?.cause || this.#now() - this.#toldAt < CAUSE_EVERY_MS)) return;
    this.#told = longest;
    this.#toldAt = this.#now();
    this.#onChange();
  }
}
