import type { ClaimWord } from '../../core/cluster/cluster-entries.js';
import type { UnitKey } from '../../core/model.js';
import type { DiscoveryProtocol } from '../discovery/protocol.js';
import type { Ref } from '../kernel/protocol.js';
import type { NodeState } from './node-state.js';

const ASK_MS = 30_000;

/**
 * Asks for claims of this node, and gives them back. A claim is good for one start: the threads of a start are told apart
 * by their number (core/cluster/fencing.ts), which begins anew with the next.
 */
export class OwnClaims {
  readonly #discovery: Ref<DiscoveryProtocol>;
  readonly #state: NodeState;
  /** Granted to this object, and used by no start. */
  readonly #unused = new Map<UnitKey, number>();

  constructor(discovery: Ref<DiscoveryProtocol>, state: NodeState) {
    this.#discovery = discovery;
    this.#state = state;
  }

  /** Whether it is granted shows in the state. */
  async claim({ unit, generation, plan, idle }: ClaimWord): Promise<void> {
    const of = { ...(plan === undefined ? {} : { plan }), ...(idle === undefined ? {} : { idle }) };
    const asked = { unit, generation, ...of };
    const reply = await this.#discovery.ask('claim', asked, { deadlineMs: ASK_MS });
    const { self } = this.#state;
    if (!reply.granted || self === null) return;
    this.#unused.set(unit, reply.epoch);
    this.#state.setClaim(unit, { ...asked, node: self, epoch: reply.epoch }, reply.offset);
  }

  async release(unit: UnitKey, epoch: number): Promise<void> {
    const reply = await this.#discovery.ask('release', { unit, epoch }, { deadlineMs: ASK_MS });
    this.#unused.delete(unit);
    this.#state.setClaim(unit, null, reply.offset);
  }

  /** For a start under that epoch. False: another was, or it was granted to an earlier object; claim anew. */
  use(unit: UnitKey, epoch: number): boolean {
    if (this.#unused.get(unit) !== epoch) return false;
    this.#unused.delete(unit);
    return true;
  }
}
