/** A task, or a plan, that brings its node down, in processes that are started again whenever they end. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { Cluster, type Status } from '../support/cluster.js';
import type { NodeProcess } from '../support/node-process.js';
import { until } from '../support/wait.js';

/** A bound for deaths, boots and probations, not an expectation. */
const PATIENCE_MS = 300_000;
const DEATHS = 3;
const TASKS = 3;

/** As a service manager does. */
function keepUp(node: NodeProcess): { readonly deaths: () => number; readonly end: () => void } {
  let deaths = 0;
  let ended = false;
  const run = async (): Promise<void> => {
    for (;;) {
      await node.exited();
      if (ended) return;
      deaths += 1;
      await node.start().catch(() => undefined);
    }
  };
  void run();
  return {
    deaths: () => deaths,
    end: () => {
      ended = true;
    },
  };
}

const SETTINGS = {
  'quarantine.deaths': String(DEATHS),
  'heartbeat.interval.ms': '500',
  'lease.ms': '1500',
  'eviction.timeout.ms': '2500',
};

for (const { ids, part, how } of [
  { ids: ['a'], part: 'task', how: 'SIGABRT' },
  { ids: ['a', 'b', 'c'], part: 'task', how: 'SIGKILL' },
  { ids: ['a'], part: 'plan', how: 'SIGABRT' },
  { ids: ['a', 'b'], part: 'plan', how: 'SIGKILL' },
] as const) {
  test(`a ${part} that ends its node by ${how} is quarantined, on ${ids.length} node(s), and those beside it run on`, async (t) => {
    const cluster = new Cluster(SETTINGS);
    await cluster.start(...ids);
    const kept = ids.map((id) => keepUp(cluster.node(id)));
    t.after(async () => {
      for (const { end } of kept) end();
      await cluster.destroy();
    });
    const [at] = ids;
    const poison = (how: string) => ({
      'connector.class': 'KillingSource',
      topic: 'none',
      [part === 'task' ? 'how' : 'plan']: how,
    });
    /** Of what is poisoned. */
    const told = ({ connector, tasks }: Status) => (part === 'task' ? tasks[0] : connector);
    await cluster.put(at, 'innocent', cluster.source(TASKS));
    await cluster.running(at, 'innocent', TASKS);
    await cluster.put(at, 'poison', poison(how));
    const status = await until(
      'it is quarantined',
      async () => {
        const found = await cluster.status(at, 'poison');
        if (told(found)?.state === 'FAILED') return found;
        throw new Error(JSON.stringify(found));
      },
      PATIENCE_MS,
    );
    const cause =
      part === 'task'
        ? /^QUARANTINED: poison\/0 was running at \d+ deaths of nodes/
        : /^QUARANTINED: poison was being planned at \d+ deaths of nodes/;
    assert.match(told(status)?.trace ?? '', cause);
    for (const id of ids) await cluster.running(id, 'innocent', TASKS, () => true, PATIENCE_MS);
    const deaths = kept.reduce((sum, each) => sum + each.deaths(), 0);
    t.diagnostic(`${deaths} deaths`);
    // Whoever starts anew leaves it alone.
    cluster.node(at).signal('SIGKILL');
    await until('it is back', () => kept.reduce((sum, each) => sum + each.deaths(), 0) > deaths, PATIENCE_MS);
    await cluster.running(at, 'innocent', TASKS, () => true, PATIENCE_MS);
    assert.equal(told(await cluster.status(at, 'poison'))?.state, 'FAILED');
    // Mended.
    await cluster.put(at, 'poison', poison('not'));
    await cluster.running(at, 'poison', 1, () => true, PATIENCE_MS);
  });
}
