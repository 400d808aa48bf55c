import { LRUCache } from 'lru-cache';
import { parseUnitKey, type UnitKey } from '../../core/model.js';
import type { Ref } from '../kernel/protocol.js';
import type { RebalancerProtocol } from '../rebalancer/protocol.js';

/** Told again at most so often: after a reset a topic counts as used with the next record. */
const AGAIN_MS = 1000;
/** As many as a source task knows the queues of. */
const MAX_TOPICS = 1000;

/** Tells which topics a task writes to, or reads. */
export class TopicsUsed {
  readonly #rebalancer: Pick<Ref<RebalancerProtocol>, 'tell'>;
  readonly #connector: string;
  readonly #told = new LRUCache<string, number>({ max: MAX_TOPICS });
  readonly #now: () => number;

  constructor(
    rebalancer: Pick<Ref<RebalancerProtocol>, 'tell'>,
    unit: UnitKey,
    now: () => number = () => performance.now(),
  ) {
    this.#rebalancer = rebalancer;
    this.#connector = parseUnitKey(unit).connector;
    this.#now = now;
  }

  /** What cannot be told now is told with the next record. */
  used(topics: Iterable<string>): void {
    const now = this.#now();
    const due = [...topics].filter((topic) => now - (this.#told.get(topic) ?? -AGAIN_MS) >= AGAIN_MS);
    if (due.length === 0) return;
    if (!this.#rebalancer.tell('topicsUsed', { connector: this.#connector, topics: due })) return;
    for (const topic of due) this.#told.set(topic, now);
  }
}
