import { nextDelayMs, type Backoff } from '../backoff.js';
import type { UnitKey } from '../model.js';

/** Each such try costs a thread, and its time or its memory. What a plugin throws costs nothing, and may pass. */
const COSTLY: ReadonlySet<string> = new Set(['PLANNING_TIMEOUT', 'PLANNING_OUT_OF_MEMORY']);

interface Failures {
  readonly all: number;
  readonly costly: number;
}

/** When a plan that failed is made again. A costly one is given up in the end. */
export class PlanRetries {
  readonly #backoff: Backoff;
  readonly #maxCostly: number;
  /** Since the last plan that succeeded, by connector unit. */
  readonly #failures = new Map<UnitKey, Failures>();

  constructor(backoff: Backoff, maxCostly: number) {
    this.#backoff = backoff;
    this.#maxCostly = maxCostly;
  }

  /** Milliseconds until the next try; null: it is not tried again. `random` is in [0, 1). */
  failed(unit: UnitKey, code: string, random: number): number | null {
    const before = this.#failures.get(unit) ?? { all: 0, costly: 0 };
    const failures = { all: before.all + 1, costly: before.costly + (COSTLY.has(code) ? 1 : 0) };
    this.#failures.set(unit, failures);
    if (failures.costly > this.#maxCostly) return null;
    return nextDelayMs(this.#backoff, failures.all, random);
  }

  /** It succeeded, or something else is to be planned. */
  forget(unit: UnitKey): void {
    this.#failures.delete(unit);
  }
}
