import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assign, type Load, type Wish } from '#troupe/core/cluster/assignment.js';
import type { UnitKey } from '#troupe/core/model.js';

const nodeIds = fc.uniqueArray(fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5', 'n6'), { minLength: 1 });
const unitKeys = fc.uniqueArray(
  fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(9)).map(([connector, task]) => `${connector}/${task}`),
  { maxLength: 40 },
);
const owned = unitKeys.chain((units) =>
  fc.record({
    units: fc.constant(units),
    owners: fc.array(fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5', 'n6', null), {
      minLength: units.length,
      maxLength: units.length,
    }),
  }),
);

function light(units: readonly UnitKey[]): Load[] {
  return units.map((unit) => ({ unit, weight: 1 }));
}

function ownersOf(units: readonly UnitKey[], owners: readonly (string | null)[]): Map<UnitKey, string> {
  return new Map(
    units.flatMap((unit, i) => {
      const owner = owners[i] ?? null;
      return owner === null ? [] : [[unit, owner] as const];
    }),
  );
}

function totals(nodes: readonly string[], wish: Wish, units: readonly Load[]): number[] {
  const sums = new Map(nodes.map((node) => [node, 0]));
  for (const { unit, weight } of units) {
    const node = wish.get(unit);
    assert.ok(node !== undefined && sums.has(node), `${unit} has no live node`);
    sums.set(node, (sums.get(node) ?? 0) + weight);
  }
  return [...sums.values()];
}

function moved(before: ReadonlyMap<UnitKey, string>, after: Wish, nodes: readonly string[]): number {
  return [...before].filter(([unit, node]) => nodes.includes(node) && after.get(unit) !== node).length;
}

test('every unit has one live node, loads differ by at most one, and no fewer units could have moved', () => {
  fc.assert(
    fc.property(nodeIds, owned, (nodes, { units, owners }) => {
      const before = ownersOf(units, owners);
      const wish = assign(nodes, light(units), before);
      const loads = totals(nodes, wish, light(units));
      assert.ok(Math.max(...loads) - Math.min(...loads) <= 1);
      // The fewest moves: each node keeps up to its share, and the fullest get the bigger shares.
      const held = nodes
        .map((node) => units.filter((unit) => before.get(unit) === node).length)
        .sort((a, b) => b - a);
      const share = Math.floor(units.length / nodes.length);
      const bigger = units.length % nodes.length;
      const fewest = held.reduce(
        (sum, count, i) => sum + Math.max(0, count - share - (i < bigger ? 1 : 0)),
        0,
      );
      assert.equal(moved(before, wish, nodes), fewest);
    }),
  );
});

test('the same wish comes out whatever order nodes and units are told in', () => {
  fc.assert(
    fc.property(nodeIds, owned, fc.nat(), (nodes, { units, owners }, turn) => {
      const before = ownersOf(units, owners);
      const rotated = (list: readonly string[]): string[] =>
        [...list.slice(turn % (list.length + 1)), ...list.slice(0, turn % (list.length + 1))].reverse();
      const wish = assign(nodes, light(units), before);
      const again = assign(rotated(nodes), light(rotated(units)), new Map([...before].reverse()));
      assert.deepEqual([...again].sort(), [...wish].sort());
    }),
  );
});

test('once all moves are made nobody wants to move any more', () => {
  fc.assert(
    fc.property(
      nodeIds,
      owned,
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 40, maxLength: 40 }),
      (nodes, { units, owners }, weights) => {
        const loads = units.map((unit, i) => ({ unit, weight: weights[i] ?? 1 }));
        const wish = assign(nodes, loads, ownersOf(units, owners));
        assert.deepEqual([...assign(nodes, loads, wish)].sort(), [...wish].sort());
      },
    ),
  );
});

test('a new connector moves nobody else', () => {
  fc.assert(
    fc.property(nodeIds, unitKeys, fc.nat(12), (nodes, units, count) => {
      const before = assign(nodes, light(units), new Map());
      const added = Array.from({ length: count }, (_, task) => `new/${task}`);
      const after = assign(nodes, light([...units, ...added]), before);
      assert.equal(moved(before, after, nodes), 0);
    }),
  );
});

test('a node that joins takes its share and nothing else moves; when it leaves only its units move', () => {
  fc.assert(
    fc.property(nodeIds, unitKeys, (nodes, units) => {
      const before = assign(nodes, light(units), new Map());
      const more = [...nodes, 'joiner'];
      const joined = assign(more, light(units), before);
      const taken = [...joined.values()].filter((node) => node === 'joiner').length;
      assert.equal(moved(before, joined, nodes), taken);
      assert.ok(taken <= Math.ceil(units.length / more.length));
      const left = assign(nodes, light(units), joined);
      assert.equal(moved(joined, left, nodes), 0);
    }),
  );
});

test('with weights, no move of one unit from the fullest node to the emptiest would help', () => {
  fc.assert(
    fc.property(
      nodeIds,
      unitKeys,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 40, maxLength: 40 }),
      (nodes, units, weights) => {
        const loads = units.map((unit, i) => ({ unit, weight: weights[i] ?? 1 }));
        const wish = assign(nodes, loads, new Map());
        const sums = totals(nodes, wish, loads);
        const gap = Math.max(...sums) - Math.min(...sums);
        const fullest = nodes[sums.indexOf(Math.max(...sums))];
        const movable = loads.filter(({ unit, weight }) => wish.get(unit) === fullest && weight < gap);
        assert.ok(gap <= 1 || movable.length === 0, `gap ${gap}`);
      },
    ),
  );
});
