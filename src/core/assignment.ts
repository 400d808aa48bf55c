import { parseUnitKey, type UnitKey } from './model.js';

/** Who should run what: unit → node id. */
export type Wish = Map<UnitKey, string>;

export interface Load {
  readonly unit: UnitKey;
  /** A whole number from 1. */
  readonly weight: number;
}

/** A load with its key taken apart once, for the sorting. */
interface Item extends Load {
  readonly connector: string;
  readonly task: number;
}

interface NodeLoad {
  readonly id: string;
  total: number;
  readonly units: Item[];
}

/**
 * Shares units out among nodes: every unit stays with its owner unless balance needs it moved, and what nobody owns
 * goes to the least loaded. So new units move nobody else's; a node that joins or leaves moves no more than its share.
 * With equal weights loads differ by at most one. The same input gives the same wish on every node, in any order.
 *
 * @param nodes ids of the live nodes
 * @param owners present owner of each unit that has one; owners that are not live do not count
 */
export function assign(
  nodes: Iterable<string>,
  units: Iterable<Load>,
  owners: ReadonlyMap<UnitKey, string>,
): Wish {
  const loads = [...new Set(nodes)].sort(compare).map((id): NodeLoad => ({ id, total: 0, units: [] }));
  const wish: Wish = new Map();
  if (loads.length === 0) return wish;
  const byId = new Map(loads.map((load) => [load.id, load]));
  const ordered = Array.from(units, item).sort(compareItems);
  const unowned: Item[] = [];
  for (const unit of ordered) {
    const owner = byId.get(owners.get(unit.unit) ?? '');
    if (owner === undefined) unowned.push(unit);
    else put(owner, unit);
  }
  for (const unit of unowned) put(least(loads), unit);
  while (moveOne(loads));
  for (const { id, units: held } of loads) for (const { unit } of held) wish.set(unit, id);
  return wish;
}

/** Moves one unit from a loaded node to the least loaded one if that evens them out. Each move lowers the sum of squares. */
function moveOne(loads: readonly NodeLoad[]): boolean {
  const to = least(loads);
  const from = [...loads].sort((a, b) => b.total - a.total || compare(a.id, b.id));
  for (const node of from) {
    const gap = node.total - to.total;
    if (gap <= 1) return false;
    const moved = closest(node.units, gap);
    if (moved === null) continue;
    node.units.splice(node.units.indexOf(moved), 1);
    node.total -= moved.weight;
    put(to, moved);
    return true;
  }
  return false;
}

/** The unit whose move evens out a gap best: lighter than the gap, and nearest to half of it. */
function closest(units: readonly Item[], gap: number): Item | null {
  let best: Item | null = null;
  for (const unit of units) {
    if (unit.weight >= gap) continue;
    if (best === null || Math.abs(2 * unit.weight - gap) < Math.abs(2 * best.weight - gap)) best = unit;
  }
  return best;
}

function put(node: NodeLoad, unit: Item): void {
  node.units.push(unit);
  node.total += unit.weight;
}

function least(loads: readonly NodeLoad[]): NodeLoad {
  return loads.reduce((best, load) => (load.total < best.total ? load : best));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function item({ unit, weight }: Load): Item {
  const { connector, task } = parseUnitKey(unit);
  return { unit, weight, connector, task: task ?? -1 };
}

/**
 * The heaviest first. Then by task number, so that a connector's tasks spread and a node gives away one of each
 * before two of one.
 */
function compareItems(a: Item, b: Item): number {
  return b.weight - a.weight || a.task - b.task || compare(a.connector, b.connector);
}
