/** Whether a unit ran twice at once, by what its instances wrote into the journal. */
import type { Act } from './journal.js';

/** A process that was stopped by a signal at one time of `nowMs`, and let go on at another. */
export interface Suspension {
  readonly pid: number;
  readonly from: number;
  readonly to: number;
}

/** One instance of a unit, from its first act to its last. */
interface Span {
  from: number;
  to: number;
  /** When its last call was noted. */
  noted: number;
}

/**
 * A process may be suspended after its look at the lease and before the plugin's look at the clock, and goes on there.
 * So the first call of an instance after a suspension counts as of the beginning of that; the one after it looked anew.
 */
export class Runs {
  readonly #suspensions: readonly Suspension[];
  readonly #units = new Map<string, Map<string, Span>>();

  constructor(suspensions: readonly Suspension[] = []) {
    this.#suspensions = suspensions;
  }

  take({ what, unit, pid, instance, at }: Act): void {
    // Stopping moves no records.
    if (what === 'stop') return;
    const instances = this.#units.get(unit) ?? new Map<string, Span>();
    this.#units.set(unit, instances);
    const span = instances.get(instance) ?? { from: at, to: at, noted: at };
    instances.set(instance, span);
    // The records of one call have one time.
    if (span.noted === at) return;
    const { noted } = span;
    const over = this.#suspensions.find((each) => each.pid === pid && noted <= each.from && each.to <= at);
    span.noted = at;
    span.to = Math.max(span.to, over?.from ?? at);
  }

  /** The units' names; those of which an instance ever did something. */
  get units(): readonly string[] {
    return [...this.#units.keys()];
  }

  /** Of one instance something between two acts of another. */
  overlaps(): string[] {
    return [...this.#units].flatMap(([unit, instances]) => {
      const ordered = [...instances].sort(([, a], [, b]) => a.from - b.from);
      return ordered.flatMap(([instance, { to }], i) => {
        const next = ordered[i + 1];
        if (next === undefined || next[1].from >= to) return [];
        return [`${unit}: ${next[0]} began ${to - next[1].from} ms before ${instance} ended`];
      });
    });
  }
}

export function overlaps(acts: readonly Act[], suspensions: readonly Suspension[] = []): string[] {
  const runs = new Runs(suspensions);
  for (const act of acts) runs.take(act);
  return runs.overlaps();
}
