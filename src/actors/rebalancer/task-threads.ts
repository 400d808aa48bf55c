import type { UnitKey } from '../../core/model.js';

/**
 * The thread of each task that was heard of last. What a thread says and that it has ended come on different ways, so
 * in any order: a late word must not bring back one that has ended, nor an end hide one that has begun since.
 */
export class TaskThreads {
  readonly #newest = new Map<UnitKey, { readonly incarnation: number; readonly ended: boolean }>();

  /** It says something. False: it has ended, or a later one was heard of. */
  speaks(unit: UnitKey, incarnation: number): boolean {
    const newest = this.#newest.get(unit);
    const known = newest?.incarnation ?? 0;
    if (incarnation < known || (incarnation === known && newest?.ended === true)) return false;
    this.#newest.set(unit, { incarnation, ended: false });
    return true;
  }

  /** It has ended. False: a later one was heard of. */
  ends(unit: UnitKey, incarnation: number): boolean {
    if (incarnation < (this.#newest.get(unit)?.incarnation ?? 0)) return false;
    this.#newest.set(unit, { incarnation, ended: true });
    return true;
  }

  /** Incarnations are counted anew with the next start. */
  forget(unit: UnitKey): void {
    this.#newest.delete(unit);
  }
}
