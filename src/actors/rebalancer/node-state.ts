import type {
  Claim,
  ConnectorEntry,
  Member,
  NodeRef,
  TargetState,
  UnitKey,
  UnitStatus,
} from '../../core/model.js';
import { isQuarantined, type Suspect } from '../../core/cluster/quarantine.js';
import { parseUnitKey, unitGeneration } from '../../core/model.js';
import type { PendingSignal } from '../../core/connectors/signals.js';
import type { ClusterView } from '../discovery/protocol.js';
import type { DeliveredSignal, PlannedConfig } from './protocol.js';
import { plannedConfig } from './task-spec.js';

/** What this node knows: the cluster and the configs, as told by discovery and config-sync. */
export class NodeState {
  self: NodeRef | null = null;
  members: ReadonlyMap<string, Member> = new Map();
  drained: ReadonlySet<string> = new Set();
  statuses: ReadonlyMap<UnitKey, UnitStatus> = new Map();
  suspects: ReadonlyMap<UnitKey, Suspect> = new Map();
  configs: ReadonlyMap<string, ConnectorEntry> | null = null;
  /** Of all connectors; none while the configs are not known. */
  tasks = 0;
  readonly #signals = new Map<UnitKey, DeliveredSignal[]>();
  #claims = new Map<UnitKey, Claim>();
  /** How far the view was read. */
  #offset = -1;
  /** What this node was answered about its own claims, ahead of the view: null was given back. */
  readonly #ahead = new Map<UnitKey, { readonly claim: Claim | null; readonly offset: number }>();

  get claims(): ReadonlyMap<UnitKey, Claim> {
    return this.#claims;
  }

  /** Units whose own claims others may have come before that the view does not show yet. */
  get unread(): { has(unit: UnitKey): boolean } {
    return this.#ahead;
  }

  /** False: the view is older than the one before. */
  setCluster(view: ClusterView): boolean {
    if (view.offset < this.#offset) return false;
    this.#offset = view.offset;
    this.self = view.self;
    this.members = new Map(view.members.map((member) => [member.id, member]));
    this.drained = new Set(view.drained);
    this.statuses = new Map(view.statuses.map((status) => [status.unit, status]));
    this.suspects = new Map((view.suspects ?? []).map((suspect) => [suspect.unit, suspect]));
    this.#claims = new Map(view.claims.map((claim) => [claim.unit, claim]));
    for (const [unit, { claim, offset }] of this.#ahead) {
      if (offset <= view.offset) this.#ahead.delete(unit);
      else this.#put(unit, claim);
    }
    return true;
  }

  /** A claim of this node was granted or given back, as read at that offset: the view that shows it comes later. */
  setClaim(unit: UnitKey, claim: Claim | null, offset: number): void {
    if (offset <= this.#offset) return;
    this.#ahead.set(unit, { claim, offset });
    this.#put(unit, claim);
  }

  #put(unit: UnitKey, claim: Claim | null): void {
    if (claim === null) this.#claims.delete(unit);
    else this.#claims.set(unit, claim);
  }

  setConfigs(connectors: readonly ConnectorEntry[]): void {
    this.configs = new Map(connectors.map((entry) => [entry.name, entry]));
    this.tasks = connectors.reduce((sum, { tasks }) => sum + (tasks?.configs.length ?? 0), 0);
  }

  setSignals(signals: readonly PendingSignal[]): void {
    this.#signals.clear();
    for (const { id, offset, signal, units } of signals)
      for (const unit of units) {
        const of = this.#signals.get(unit) ?? [];
        of.push({ id, offset, ...signal });
        this.#signals.set(unit, of);
      }
  }

  /** Units that have not answered all their signals. */
  get signalled(): Iterable<UnitKey> {
    return this.#signals.keys();
  }

  /** Those that the unit has not answered, the oldest first, after the one at the offset `seen`. */
  signals(unit: UnitKey, seen = -1): readonly DeliveredSignal[] {
    return (this.#signals.get(unit) ?? []).filter(({ offset }) => offset > seen);
  }

  /**
   * What a task that was started for that generation runs with by now, where it is newer than `known`; null: nothing newer. While
   * the tasks of a newer config are being planned there is none: it would be the new config with the old plan.
   */
  newerConfig(unit: UnitKey, generation: number, known: number): PlannedConfig | null {
    const { connector, task } = parseUnitKey(unit);
    const entry = this.configs?.get(connector);
    if (entry === undefined || entry.tasks?.connectorVersion !== entry.version) return null;
    if (entry.version <= known || unitGeneration(entry, task) !== generation) return null;
    return plannedConfig(unit, entry);
  }

  /** A task of the connector is: only another generation is started again. */
  isQuarantined(connector: string): boolean {
    const entry = this.configs?.get(connector);
    return [...this.suspects].some(([unit, suspect]) => {
      const { connector: of, task } = parseUnitKey(unit);
      if (entry === undefined || of !== connector || task === null) return false;
      return isQuarantined(suspect, unitGeneration(entry, task) ?? 0);
    });
  }

  /** null: the configs are not known yet. A unit whose connector is gone is to stop. */
  target(unit: UnitKey): TargetState | null {
    if (this.configs === null) return null;
    return this.configs.get(parseUnitKey(unit).connector)?.targetState ?? 'STOPPED';
  }
}
