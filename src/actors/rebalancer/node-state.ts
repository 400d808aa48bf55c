import type { Claim, ConnectorEntry, NodeRef, TargetState, UnitKey } from '../../core/model.js';
import { parseUnitKey } from '../../core/model.js';
import type { ClusterView } from '../discovery/protocol.js';

/** What this node knows: the cluster and the configs, as told by discovery and config-sync. */
export class NodeState {
  self: NodeRef | null = null;
  members: ReadonlyMap<string, NodeRef> = new Map();
  configs: ReadonlyMap<string, ConnectorEntry> | null = null;
  #claims = new Map<UnitKey, Claim>();
  #offset = -1;

  get claims(): ReadonlyMap<UnitKey, Claim> {
    return this.#claims;
  }

  /** False: the view is older than what is known already (answers and views come by different channels). */
  setCluster(view: ClusterView): boolean {
    if (view.offset < this.#offset) return false;
    this.#offset = view.offset;
    this.self = view.self;
    this.members = new Map(view.members.map((member) => [member.id, member]));
    this.#claims = new Map(view.claims.map((claim) => [claim.unit, claim]));
    return true;
  }

  /** A claim of this node was granted or given back, as read at that offset. */
  setClaim(unit: UnitKey, claim: Claim | null, offset: number): void {
    if (offset < this.#offset) return;
    this.#offset = offset;
    if (claim === null) this.#claims.delete(unit);
    else this.#claims.set(unit, claim);
  }

  setConfigs(connectors: readonly ConnectorEntry[]): void {
    this.configs = new Map(connectors.map((entry) => [entry.name, entry]));
  }

  /** null: the configs are not known yet. A unit whose connector is gone is to stop. */
  target(unit: UnitKey): TargetState | null {
    if (this.configs === null) return null;
    return this.configs.get(parseUnitKey(unit).connector)?.targetState ?? 'STOPPED';
  }
}
