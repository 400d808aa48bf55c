import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseUnitKey } from '#troupe/core/model.js';
import { planRebalance } from '#troupe/core/cluster/rebalance-plan.js';
import { wantedUnits } from '#troupe/core/cluster/wanted-units.js';
import { MAX_MOVES, SimpleCluster } from './simple-cluster.js';

type Event = ['join' | 'leave' | 'retire' | 'drain' | 'undrain', string] | ['connector', string, number];

const id = fc.constantFrom('n1', 'n2', 'n3', 'n4');
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'join' as const,
      'leave' as const,
      'retire' as const,
      'drain' as const,
      'undrain' as const,
    ),
    id,
  ),
  fc.tuple(
    fc.constant('connector' as const),
    fc.constantFrom('a', 'b', 'c', 'd'),
    fc.integer({ min: 1, max: 7 }),
  ),
);

function happen(cluster: SimpleCluster, [type, name, tasks]: Event, weight: number): void {
  switch (type) {
    case 'join':
      if (!cluster.nodes.has(name)) cluster.join(name);
      break;
    case 'leave':
      cluster.leave(name);
      break;
    case 'retire':
      cluster.retire(name);
      break;
    case 'drain':
    case 'undrain':
      cluster.drain(name, type === 'drain');
      break;
    case 'connector':
      if (!cluster.configs.has(name)) cluster.connector(name, tasks, weight);
  }
}

/** Repeats the numbers given. */
function chooser(numbers: readonly number[]): (bound: number) => number {
  let at = 0;
  return (bound) => (numbers[at++ % numbers.length] ?? 0) % Math.max(1, bound);
}

const numbers = fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 });
const events = fc.array(event, { minLength: 3, maxLength: 14 });

test('whatever joins, leaves and is drained, all tasks run once, on open nodes, evenly, and then nothing moves', () => {
  fc.assert(
    fc.property(
      events,
      numbers,
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4 }),
      (list, order, weights) => {
        const cluster = new SimpleCluster(chooser(order));
        cluster.join('n1');
        for (const [i, each] of list.entries()) {
          happen(cluster, each, weights[i % weights.length] ?? 1);
          // Not always: the next thing may happen in the middle of this one.
          if ((order[i] ?? 0) % 3 > 0) cluster.settle();
        }
        cluster.settle();
        if (cluster.nodes.size > 0) cluster.checkSettled();
      },
    ),
  );
});

test('what a plan does not move keeps its epoch, and no other tasks move than it says', () => {
  fc.assert(
    fc.property(events, event, numbers, (list, last, order) => {
      const cluster = new SimpleCluster(chooser(order));
      cluster.join('n1');
      for (const each of list) happen(cluster, each, 1);
      cluster.settle();
      const before = cluster.owners();
      happen(cluster, last, 1);
      if (cluster.nodes.size === 0) return;
      const planned = planRebalance(cluster.state, cluster.configs).moves;
      cluster.settle();
      const after = cluster.owners();
      const changed = [...before].filter(([unit, owner]) => after.has(unit) && after.get(unit) !== owner);
      const expected = planned.filter(({ unit, to }) => before.has(unit) && to !== null);
      assert.equal(changed.length, expected.filter(({ unit }) => parseUnitKey(unit).task !== null).length);
    }),
  );
});

test('a restart request restarts each task once, wherever it is by then, and no other', () => {
  fc.assert(
    fc.property(events, event, numbers, fc.subarray([0, 1, 2, 3, 4]), (list, last, order, tasks) => {
      const cluster = new SimpleCluster(chooser(order));
      cluster.join('n1');
      cluster.connector('r', 5, 1);
      for (const each of list) happen(cluster, each, 1);
      cluster.settle();
      const before = cluster.owners();
      cluster.starts.length = 0;
      happen(cluster, last, 1);
      const generation = cluster.restart('r', tasks);
      cluster.settle();
      if (cluster.open.length === 0) return;
      for (let task = 0; task < 5; task += 1) {
        const unit = `r/${task}`;
        const starts = cluster.starts.filter((start) => start.unit === unit);
        const nodeOf = (owner = ''): string => owner.split(' ')[0] ?? '';
        const moved = nodeOf(before.get(unit)) !== nodeOf(cluster.owners().get(unit));
        const asked = tasks.includes(task);
        if (asked) assert.ok(starts.some((start) => start.generation === generation));
        if (!moved && nodeOf(before.get(unit)) !== nodeOf(last[1]))
          assert.equal(starts.length, asked ? 1 : 0, unit);
      }
    }),
  );
});

test('a joining node leaves no more tasks of a node down at once than may move', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 30 }),
      numbers,
      (nodes, tasks, order) => {
        const cluster = new SimpleCluster(chooser(order));
        for (let i = 1; i <= nodes; i += 1) cluster.join(`n${i}`);
        cluster.connector('a', tasks, 1);
        cluster.settle();
        const wanted = wantedUnits(cluster.configs).size;
        cluster.join('n9');
        let most = 0;
        const running = (): number =>
          [...cluster.nodes.values()].reduce((sum, node) => sum + node.running.size, 0);
        // Plans move freely: there is one.
        cluster.settle(() => (most = Math.max(most, wanted - running())));
        assert.ok(most <= nodes * MAX_MOVES + 1, `${most} were down at once`);
      },
    ),
  );
});
