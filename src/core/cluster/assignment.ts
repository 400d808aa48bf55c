import { parseUnitKey, type UnitKey } from '../model.js';

/** Who should run what: unit → node id. */
export type Wish = Map<UnitKey, string>;

export interface Load {
  readonly unit: UnitKey;
  /** A whole number from 1. */
  readonly weight: number;
}

/** A load with its key taken apart once, for the sorting. */
export interface ParsedLoad extends Load {
  readonly connector: string;
  /** -1: the connector's own unit. */
  readonly task: number;
}

/** Node id of the present owner. */
interface Owners {
  get(unit: UnitKey): string | undefined;
}

interface NodeLoad {
  readonly id: string;
  total: number;
  readonly units: ParsedLoad[];
}

/**
 * Shares units out among nodes: every unit stays with its owner unless balance needs it moved, and what nobody owns
 * goes to the least loaded. So new units move nobody else's; a node that joins or leaves moves no more than its share.
 * With equal weights loads differ by at most one. The same input gives the same wish on every node, in any order.
 *
 * @param nodes ids of the live nodes
 * @param owners present owner of each unit that has one; owners that are not live do not count
 */
export function assign(nodes: Iterable<string>, units: Iterable<Load>, owners: Owners): Wish {
  return assignParsed(nodes, Array.from(units, parsed), owners);
}

/** The same, for loads whose keys were taken apart before. */
export function assignParsed(
  nodes: Iterable<string>,
  units: readonly ParsedLoad[],
  owners: Owners,
  wish: Wish = new Map(),
): Wish {
  const loads = [...new Set(nodes)].sort(compare).map((id): NodeLoad => ({ id, total: 0, units: [] }));
  if (loads.length === 0) return wish;
  const byId = new Map(loads.map((load) => [load.id, load]));
  const ordered = [...units].sort(compareItems);
  const unowned: ParsedLoad[] = [];
  for (const unit of ordered) {
    const owner = byId.get(owners.get(unit.unit) ?? '');
    if (owner === undefined) unowned.push(unit);
    else {
      owner.units.push(unit);
      owner.total += unit.weight;
    }
  }
  const byLoad = new ByLoad(loads);
  for (let from = 0; from < unowned.length;) {
    const weight = unowned[from]?.weight;
    let to = from + 1;
    while (unowned[to]?.weight === weight) to += 1;
    deal(unowned.slice(from, to), loads, byLoad);
    from = to;
  }
  while (moveOne(byLoad));
  for (const { id, units: held } of loads) for (const { unit } of held) wish.set(unit, id);
  return wish;
}

/**
 * Units of one weight to the least loaded nodes, to each node those that follow each other. So a part of the wish that
 * has come true does not change the rest of it, whichever node claims first: else nodes would claim the same units.
 */
function deal(units: readonly ParsedLoad[], loads: readonly NodeLoad[], byLoad: ByLoad): void {
  const shares = new Map<NodeLoad, number>();
  for (const { weight } of units) {
    const node = byLoad.least;
    if (node === undefined) return;
    byLoad.add(node, weight);
    shares.set(node, (shares.get(node) ?? 0) + 1);
  }
  let next = 0;
  for (const node of loads) {
    const share = shares.get(node) ?? 0;
    node.units.push(...units.slice(next, next + share));
    next += share;
  }
}

/** Moves one unit from a loaded node to the least loaded one if that evens them out. Each move lowers the sum of squares. */
function moveOne(byLoad: ByLoad): boolean {
  const to = byLoad.least;
  if (to === undefined) return false;
  for (const node of byLoad.mostFirst()) {
    const gap = node.total - to.total;
    if (gap <= 1) return false;
    const moved = closest(node.units, gap);
    if (moved === null) continue;
    node.units.splice(node.units.indexOf(moved), 1);
    to.units.push(moved);
    byLoad.add(node, -moved.weight);
    byLoad.add(to, moved.weight);
    return true;
  }
  return false;
}

/**
 * Nodes in the order of their loads, those with the same load in the order of their ids. Groups of equal loads, as a
 * large cluster has many nodes and few different loads: neither a unit dealt nor one moved sorts all nodes anew.
 */
class ByLoad {
  /** By load, ascending; no group is empty. */
  readonly #groups: { readonly total: number; readonly nodes: NodeLoad[] }[] = [];

  constructor(loads: readonly NodeLoad[]) {
    for (const load of loads) this.#insert(load);
  }

  get least(): NodeLoad | undefined {
    return this.#groups[0]?.nodes[0];
  }

  *mostFirst(): Generator<NodeLoad> {
    for (let i = this.#groups.length - 1; i >= 0; i -= 1) yield* this.#groups[i]?.nodes ?? [];
  }

  add(node: NodeLoad, weight: number): void {
    const at = lowerBound(this.#groups, ({ total }) => total < node.total);
    const nodes = this.#groups[at]?.nodes ?? [];
    nodes.splice(
      lowerBound(nodes, ({ id }) => id < node.id),
      1,
    );
    if (nodes.length === 0) this.#groups.splice(at, 1);
    node.total += weight;
    this.#insert(node);
  }

  #insert(node: NodeLoad): void {
    const at = lowerBound(this.#groups, ({ total }) => total < node.total);
    const group = this.#groups[at];
    if (group?.total !== node.total) this.#groups.splice(at, 0, { total: node.total, nodes: [node] });
    else
      group.nodes.splice(
        lowerBound(group.nodes, ({ id }) => id < node.id),
        0,
        node,
      );
  }
}

/** Of a sorted list: how many of its items are before what is looked for. */
function lowerBound<T>(items: readonly T[], isBefore: (item: T) => boolean): number {
  let from = 0;
  let to = items.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const item = items[middle];
    if (item !== undefined && isBefore(item)) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The unit whose move evens out a gap best: lighter than the gap, and nearest to half of it. */
function closest(units: readonly ParsedLoad[], gap: number): ParsedLoad | null {
  let best: ParsedLoad | null = null;
  for (const unit of units) {
    if (unit.weight >= gap) continue;
    if (best === null || Math.abs(2 * unit.weight - gap) < Math.abs(2 * best.weight - gap)) best = unit;
  }
  return best;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function parsed({ unit, weight }: Load): ParsedLoad {
  const { connector, task } = parseUnitKey(unit);
  return { unit, weight, connector, task: task ?? -1 };
}

/**
 * The heaviest first. Then by task number, so that a connector's tasks spread and a node gives away one of each
 * before two of one.
 */
function compareItems(a: ParsedLoad, b: ParsedLoad): number {
  return b.weight - a.weight || a.task - b.task || compare(a.connector, b.connector);
}
