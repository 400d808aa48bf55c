import { parseUnitKey, type ConnectorEntry, type UnitKey } from '../model.js';
import { isQuarantined } from './quarantine.js';
import { takesUnits, taskWeight, wantedUnits, wishOf, type ClusterFacts } from './wanted-units.js';

/** `from` null: nobody has it yet. `to` null: there is no node that may have it. */
export interface PlannedMove {
  readonly unit: UnitKey;
  readonly from: string | null;
  readonly to: string | null;
}

export interface RebalancePlan {
  readonly moves: readonly PlannedMove[];
  /** Why nothing moves; null when something does. */
  readonly reason: string | null;
}

/** What every node is about to do, as `decide` would: the units that are not where they should be. */
export function planRebalance(
  cluster: ClusterFacts,
  configs: ReadonlyMap<string, ConnectorEntry>,
): RebalancePlan {
  const wanted = wantedUnits(configs);
  const wish = wishOf(cluster, configs);
  const moves: PlannedMove[] = [];
  for (const [unit, { outdated, generation }] of wanted) {
    if (isQuarantined(cluster.suspects?.get(unit), generation)) continue;
    const from = cluster.claims.get(unit)?.node.id ?? null;
    const to = wish.get(unit) ?? null;
    // It stays where it is until its connector is planned.
    if (outdated === true && (from === null || takesUnits(cluster, from))) continue;
    if (from !== to) moves.push({ unit, from, to });
  }
  return { moves, reason: moves.length > 0 ? null : reasonFor(cluster, wanted.size) };
}

/** Sum of the weights of the tasks that each member has. */
export function loadsOf(
  { members, claims }: Pick<ClusterFacts, 'members' | 'claims'>,
  configs: ReadonlyMap<string, ConnectorEntry>,
): Map<string, number> {
  const loads = new Map([...members.keys()].map((id) => [id, 0]));
  for (const { unit, node } of claims.values()) {
    const { connector, task } = parseUnitKey(unit);
    if (task === null) continue;
    loads.set(node.id, (loads.get(node.id) ?? 0) + taskWeight(configs.get(connector) ?? { config: {} }));
  }
  return loads;
}

function reasonFor({ members, drained }: ClusterFacts, units: number): string {
  if (units === 0) return 'There are no connectors.';
  const open = [...members.keys()].filter((id) => takesUnits({ members, drained }, id));
  const [only] = open;
  if (only === undefined)
    return 'All nodes are drained, joining or leaving: nothing runs anywhere. Undrain one, or start one.';
  if (open.length === 1) return `There is one node that takes units, ${only}, and it has all of them.`;
  return 'Balanced: moving any task would not bring the loads of the nodes closer together.';
}
