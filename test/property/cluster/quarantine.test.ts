import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseUnitKey, type UnitKey } from '#troupe/core/model.js';
import { SimpleCluster } from './simple-cluster.js';

const RULES = { deaths: 5, periodMs: 600_000 };
const NODES = ['n1', 'n2', 'n3'];
/** Twice the shortest life and more. */
const CALM_MS = 60_000;

interface Poisoned {
  readonly nodes: number;
  /** Tasks of each connector. */
  readonly tasks: readonly number[];
  /** Which of all tasks, and plans, bring their nodes down. */
  readonly poison: readonly number[];
  /** How much the nodes do before the next death, in turn. */
  readonly patience: readonly number[];
}

const poisoned: fc.Arbitrary<Poisoned> = fc.record({
  nodes: fc.integer({ min: 1, max: 3 }),
  tasks: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }),
  poison: fc.uniqueArray(fc.nat(35), { minLength: 0, maxLength: 2 }),
  patience: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5, maxLength: 20 }),
});

const numbers = fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 });

function choose(order: readonly number[]): (bound: number) => number {
  let at = 0;
  return (bound) => (order[at++ % order.length] ?? 0) % Math.max(1, bound);
}

function runningTasks(cluster: SimpleCluster): UnitKey[] {
  const all = [...cluster.nodes.values()].flatMap(({ running }) => [...running.keys()]);
  return all.filter((unit) => parseUnitKey(unit).task !== null).sort();
}

function clusterOf({ nodes, tasks }: Poisoned, order: readonly number[]): SimpleCluster {
  const cluster = new SimpleCluster(choose(order));
  cluster.rules = RULES;
  for (const id of NODES.slice(0, nodes)) cluster.join(id);
  for (const [i, count] of tasks.entries()) cluster.connector(`c${i}`, count, 1);
  return cluster;
}

/** Nodes die of what they run, until none does any more; answers how many deaths that took. */
function play(cluster: SimpleCluster, poison: ReadonlySet<UnitKey>, patience: readonly number[]): number {
  for (let deaths = 0; ;) {
    // What kills may be started, and the node live on for a while.
    const kills = (): string | undefined =>
      [...cluster.nodes].find(([, { running }]) => [...running.keys()].some((unit) => poison.has(unit)))?.[0];
    let left = patience[deaths % patience.length] ?? 1;
    let idle = false;
    while (left > 0 && !idle) {
      idle = !cluster.step();
      cluster.now += 100;
      if (kills() !== undefined) left -= 1;
    }
    const victim = kills();
    if (victim !== undefined) {
      cluster.dies(victim);
      deaths += 1;
      assert.ok(deaths < 200, 'nodes die for ever');
      continue;
    }
    // Nothing happens any more but that time passes.
    cluster.now += CALM_MS;
    const before = cluster.state.suspects.size;
    cluster.acquit();
    cluster.settle();
    if (cluster.state.suspects.size === before && kills() === undefined) return deaths;
  }
}

test('tasks and plans that bring nodes down are quarantined after a few deaths, and all others run in the end', () => {
  fc.assert(
    fc.property(poisoned, numbers, (setting, order) => {
      const cluster = clusterOf(setting, order);
      const connectors = setting.tasks.map((_, i) => `c${i}`);
      const tasks = setting.tasks.flatMap((count, i) =>
        Array.from({ length: count }, (_, task) => `c${i}/${task}`),
      );
      const all = [...connectors, ...tasks];
      const poison = new Set(setting.poison.flatMap((index) => all[index] ?? []));
      cluster.kills = (unit) => poison.has(unit);
      const deaths = play(cluster, poison, setting.patience);
      const quarantined = [...cluster.state.suspects.values()].filter((each) => each.quarantined === true);
      assert.deepEqual(new Set(quarantined.map(({ unit }) => unit)), poison);
      assert.deepEqual(runningTasks(cluster), tasks.filter((unit) => !poison.has(unit)).sort());
      for (const unit of poison)
        assert.match(cluster.state.statuses.get(unit)?.trace ?? '', /^QUARANTINED: /);
      const bound =
        poison.size * (RULES.deaths + 2 * Math.ceil(Math.log2(all.length + 1)) + 2 * setting.nodes);
      assert.ok(deaths <= bound, `${deaths} deaths, ${bound} expected at most`);
    }),
    { numRuns: 500 },
  );
});

test('a restart, and a new config, take a task out of quarantine', () => {
  const setting = { nodes: 1, tasks: [3], poison: [1], patience: [5] };
  const cluster = clusterOf(setting, [1, 2, 3]);
  play(cluster, new Set(['c0/1']), setting.patience);
  assert.deepEqual(runningTasks(cluster), ['c0/0', 'c0/2']);
  cluster.restart('c0', [1]);
  cluster.settle();
  assert.deepEqual(runningTasks(cluster), ['c0/0', 'c0/1', 'c0/2']);
  assert.equal(cluster.state.suspects.get('c0/1'), undefined);
});

test('a node that was taken for dead, and comes back as the same process, blames nobody', () => {
  const cluster = clusterOf({ nodes: 2, tasks: [4], poison: [], patience: [1] }, [1, 2, 3]);
  cluster.settle();
  for (let i = 0; i < 20; i += 1) {
    cluster.cutOff('n1');
    cluster.settle();
  }
  assert.equal(cluster.state.suspects.size, 0);
  assert.equal(runningTasks(cluster).length, 4);
});

test('connectors whose plan is made, or that are stopped, have nothing to do with a death', () => {
  const cluster = clusterOf({ nodes: 1, tasks: [1, 1], poison: [], patience: [1] }, [1, 2, 3]);
  const stopped = cluster.configs.get('c1');
  assert.ok(stopped !== undefined);
  cluster.configs.set('c1', { ...stopped, targetState: 'STOPPED' });
  cluster.settle();
  assert.ok(cluster.state.claims.has('c1'));
  cluster.dies('n1');
  assert.deepEqual([...cluster.state.suspects.keys()], ['c0/0']);
});

test('a connector that waits for its turn to be planned is claimed by nobody', () => {
  const cluster = clusterOf({ nodes: 1, tasks: [0, 0], poison: [], patience: [1] }, [1, 2, 3]);
  cluster.kills = () => true;
  for (let deaths = 0; deaths < RULES.deaths - 2; deaths += 1) {
    cluster.settle();
    cluster.dies('n1');
  }
  cluster.settle();
  assert.deepEqual([...cluster.state.claims.keys()], ['c0']);
});
