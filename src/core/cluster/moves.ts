import type { Wish } from './assignment.js';
import type { Claim, UnitKey, UnitStatus } from '../model.js';

/** Of the cluster, as this node has read it. */
interface Seen {
  readonly claims: ReadonlyMap<UnitKey, Claim>;
  readonly statuses: ReadonlyMap<UnitKey, UnitStatus>;
}

/**
 * The tasks that this node has given away and that do not run elsewhere yet. So many may be down at once for the sake
 * of balance: a node that joins a loaded cluster does not stop everything at once.
 */
export class Moves {
  readonly #max: number;
  /** The epoch that each was given away at. */
  readonly #underWay = new Map<UnitKey, number>();

  constructor(max: number) {
    this.#max = max;
  }

  begin(unit: UnitKey, epoch: number): void {
    this.#underWay.set(unit, epoch);
  }

  /** It was not stopped after all. */
  cancel(unit: UnitKey): void {
    this.#underWay.delete(unit);
  }

  /**
   * How many may begin. Those are not counted any more of which a newer owner has said anything (that it runs, or why
   * it does not), and those that nobody is wished for.
   */
  available({ claims, statuses }: Seen, wish: Wish): number {
    for (const [unit, epoch] of this.#underWay) {
      const claim = claims.get(unit);
      const arrived = claim !== undefined && claim.epoch > epoch && statuses.get(unit)?.epoch === claim.epoch;
      if (arrived || !wish.has(unit)) this.#underWay.delete(unit);
    }
    return Math.max(0, this.#max - this.#underWay.size);
  }
}
