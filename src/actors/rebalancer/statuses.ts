import { sameNode } from '../../core/cluster/cluster-machine.js';
import type { UnitKey, UnitStatus } from '../../core/model.js';
import type { DiscoveryProtocol } from '../discovery/protocol.js';
import type { Ref } from '../kernel/protocol.js';
import type { NodeState } from './node-state.js';

type Status = Omit<UnitStatus, 'node'>;

/** So many are said again at once. */
const MAX_REPEATED = 100;

/**
 * What this node said last of each unit that it has. A word may get lost on its way to the log, and nobody would say
 * it again by himself.
 */
export class Statuses {
  readonly #discovery: Ref<DiscoveryProtocol>;
  readonly #said = new Map<UnitKey, Status>();

  constructor(discovery: Ref<DiscoveryProtocol>) {
    this.#discovery = discovery;
  }

  say(status: Status): void {
    this.#said.set(status.unit, status);
    this.#discovery.tell('status', status);
  }

  /** What was said last. */
  last(unit: UnitKey): Status | undefined {
    return this.#said.get(unit);
  }

  /** What the cluster does not know of the units that are still this node's. */
  repeat({ self, claims, statuses }: NodeState): void {
    if (self === null) return;
    let repeated = 0;
    for (const [unit, said] of this.#said) {
      const claim = claims.get(unit);
      if (claim?.epoch !== said.epoch || !sameNode(claim.node, self)) this.#said.delete(unit);
      else if (repeated < MAX_REPEATED && !isSame(said, statuses.get(unit))) {
        this.#discovery.tell('status', said);
        repeated += 1;
      }
    }
  }
}

function isSame(said: Status, shown: UnitStatus | undefined): boolean {
  return (
    shown?.epoch === said.epoch &&
    shown.state === said.state &&
    shown.trace === said.trace &&
    shown.skipped === said.skipped &&
    shown.stalled?.since === said.stalled?.since &&
    shown.stalled?.call === said.stalled?.call &&
    shown.stalled?.cause === said.stalled?.cause &&
    JSON.stringify(shown.notes) === JSON.stringify(said.notes) &&
    JSON.stringify(shown.progress) === JSON.stringify(said.progress) &&
    shown.passive?.since === said.passive?.since &&
    shown.restart?.at === said.restart?.at &&
    JSON.stringify(shown.causes) === JSON.stringify(said.causes) &&
    JSON.stringify(shown.config) === JSON.stringify(said.config)
  );
}
