import { parseUnitKey } from '../../../core/model.js';
import { tooManyPartitions } from '../../../core/progress/too-many-partitions.js';
import type { TaskActorContext } from '../parts.js';

/** Positions that are written between two looks: so far the bound may be passed by each task. */
const LOOK_AFTER = 1000;
const ASK_MS = 60_000;

/** Of the source partitions of a connector: every node keeps the positions of all of them in memory. */
export class PartitionBound {
  readonly #context: TaskActorContext;
  #said = 0;

  constructor(context: TaskActorContext) {
    this.#context = context;
  }

  /** So many positions were written, of whatever partitions. */
  said(positions: number): void {
    this.#said += positions;
  }

  /** Throws TOO_MANY_PARTITIONS once the tasks of the connector have more than they may. */
  async check(): Promise<void> {
    if (this.#said < LOOK_AFTER) return;
    this.#said = 0;
    const { peers, params, signal } = this.#context;
    const { connector } = parseUnitKey(params.unit);
    const asked = peers.persistence.ask('partitions', { connector }, { deadlineMs: ASK_MS, signal });
    // Without an answer it is asked again after as many; what is wrong with persistence shows elsewhere.
    const { partitions, max } = (await asked.catch(() => null)) ?? { partitions: 0, max: 0 };
    if (partitions > max) throw tooManyPartitions(connector, partitions, max);
  }
}
