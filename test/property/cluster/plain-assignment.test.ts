import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assign, type Load, type Wish } from '#troupe/core/cluster/assignment.js';
import { parseUnitKey, type UnitKey } from '#troupe/core/model.js';

interface Item extends Load {
  readonly connector: string;
  readonly task: number;
}

interface NodeLoad {
  readonly id: string;
  total: number;
  readonly units: Item[];
}

const ids = (letter: string, max: number) =>
  fc.uniqueArray(
    fc.nat(60).map((i) => `${letter}${i}`),
    { minLength: 1, maxLength: max },
  );

test('the wish is the one that looking through all nodes at every step comes to', () => {
  const placed = fc.record({
    nodes: ids('n', 40),
    units: fc.uniqueArray(
      fc.tuple(fc.nat(9), fc.nat(30)).map(([connector, task]) => `c${connector}/${task}`),
      { maxLength: 150 },
    ),
    weights: fc.array(fc.constantFrom(1, 1, 1, 2, 5, 9), { minLength: 150, maxLength: 150 }),
    owners: fc.array(fc.option(fc.nat(60).map((i) => `n${i}`)), { minLength: 150, maxLength: 150 }),
  });
  fc.assert(
    fc.property(placed, ({ nodes, units, weights, owners }) => {
      const loads = units.map((unit, i): Load => ({ unit, weight: weights[i] ?? 1 }));
      const before = new Map<UnitKey, string>();
      for (const [i, unit] of units.entries()) {
        const owner = owners[i] ?? null;
        if (owner !== null) before.set(unit, owner);
      }
      assert.deepEqual(
        [...assign(nodes, loads, before)].sort(),
        [...plainAssign(nodes, loads, before)].sort(),
      );
    }),
  );
});

/** Every unit dealt and every one moved looks at all nodes anew: slow, and easy to believe. */
function plainAssign(
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
  for (let from = 0; from < unowned.length;) {
    const weight = unowned[from]?.weight;
    let to = from + 1;
    while (unowned[to]?.weight === weight) to += 1;
    deal(unowned.slice(from, to), loads);
    from = to;
  }
  while (moveOne(loads));
  for (const { id, units: held } of loads) for (const { unit } of held) wish.set(unit, id);
  return wish;
}

function deal(units: readonly Item[], loads: readonly NodeLoad[]): void {
  const shares = new Map<NodeLoad, number>();
  for (const { weight } of units) {
    const node = least(loads);
    node.total += weight;
    shares.set(node, (shares.get(node) ?? 0) + 1);
  }
  let next = 0;
  for (const node of loads) {
    const share = shares.get(node) ?? 0;
    node.units.push(...units.slice(next, next + share));
    next += share;
  }
}

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

function compareItems(a: Item, b: Item): number {
  return b.weight - a.weight || a.task - b.task || compare(a.connector, b.connector);
}
