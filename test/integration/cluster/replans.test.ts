/** Connectors that are planned again with the same configuration, in real nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { START_MS, type NodeProcess } from '../../support/node-process.js';
import { Cluster } from '../../support/cluster.js';
import { SignalBench, signalledPlugin } from '../../support/signalled-plugin.js';
import { until } from '../../support/wait.js';

interface Shown {
  readonly connector: {
    readonly state: string;
    readonly notes?: readonly { readonly code: string; readonly message: string }[];
  };
  readonly tasks: readonly { readonly state: string }[];
}

async function statusOf(node: NodeProcess): Promise<Shown> {
  return (await node.request('GET', '/connectors/c/status')).body as Shown;
}

async function runs(node: NodeProcess, tasks: number): Promise<void> {
  await until(
    `${tasks} tasks run`,
    async () => {
      const status = await statusOf(node);
      const running = status.tasks.filter(({ state }) => state === 'RUNNING');
      if (running.length === tasks && status.tasks.length === tasks) return true;
      throw new Error(JSON.stringify(status));
    },
    START_MS,
  );
}

const count = (words: readonly string[], word: string): number =>
  words.filter((each) => each === word).length;

test('planned again by time with the same outcome tasks run on; what has come is taken up without anybody asking', async (t) => {
  const bench = new SignalBench(t);
  const node = await bench.node();
  bench.wants(['a', 'b']);
  await node.run('c', bench.config({ 'replan.ms': '1000' }));
  await until('it was planned some times', () => count(bench.said('c'), 'plan') >= 3, START_MS);
  assert.deepEqual([bench.said('c/0'), bench.said('c/1')], [['start'], ['start']]);
  bench.wants(['a', 'b', 'new']);
  await runs(node, 3);
  assert.deepEqual(bench.said('c/2'), ['start']);
  const planned = count(bench.said('c'), 'plan');
  await node.request('PUT', '/connectors/c/stop');
  await until('it is stopped', async () => (await statusOf(node)).tasks.length === 0, START_MS);
  await node.request('PUT', '/connectors/c/resume');
  await runs(node, 3);
  await until('it goes on being planned', () => count(bench.said('c'), 'plan') > planned + 2, START_MS);
});

test('a plan that fails while tasks run leaves them, is told in the status, and is tried again', async (t) => {
  const bench = new SignalBench(t);
  const node = await bench.node();
  bench.wants(['a']);
  await node.run('c', bench.config({ 'replan.ms': '1000' }));
  bench.wants('the system is away');
  const failed = await until(
    'it is told',
    async () => {
      const status = await statusOf(node);
      return status.connector.notes === undefined ? null : status;
    },
    START_MS,
  );
  assert.equal(failed.connector.state, 'RUNNING');
  assert.deepEqual(
    failed.connector.notes?.map(({ code }) => code),
    ['REPLAN_FAILED'],
  );
  assert.match(failed.connector.notes[0]?.message ?? '', /NO_PLAN: the system is away/);
  const planned = count(bench.said('c'), 'plan');
  await until('it is tried again', () => count(bench.said('c'), 'plan') > planned, START_MS);
  assert.deepEqual(bench.said('c/0'), ['start']);
  bench.wants(['a', 'b']);
  await runs(node, 2);
  await until(
    'it is told no more',
    async () => (await statusOf(node)).connector.notes === undefined,
    START_MS,
  );
});

test('a signal to the planning side, and tasks that ask all the time, bring new plans, and not more than one each five seconds', async (t) => {
  const bench = new SignalBench(t);
  const node = await bench.node();
  bench.wants(['a']);
  await node.run('c', bench.config());
  bench.wants(['a', 'b']);
  const begun = performance.now();
  const { body } = await node.request('POST', '/connectors/c/signals', { type: 'plan', to: 'connector' });
  assert.match(JSON.stringify(body), /"answer":"planning"/);
  await runs(node, 2);
  bench.wants(['a', 'b', 'd']);
  for (let i = 0; i < 20; i += 1)
    assert.equal(
      (await node.request('POST', '/connectors/c/signals', { type: 'replan', to: 'tasks' })).status,
      200,
    );
  await runs(node, 3);
  const most = 2 + Math.ceil((performance.now() - begun) / 5000);
  const plans = count(bench.said('c'), 'plan');
  assert.ok(plans <= most, `${plans} plans, at most ${most}`);
});

test('a planning side reads the positions of all its tasks, on whatever nodes they are, or those of some fields', async (t) => {
  const bench = new SignalBench(t);
  const cluster = new Cluster({ pluginPaths: signalledPlugin(bench.dir) });
  t.after(() => cluster.destroy());
  await cluster.start('n1', 'n2');
  const node = cluster.node('n1');
  await node.run('c', bench.config());
  const tell = async (body: object): Promise<string> => {
    const reply = await node.request('POST', '/connectors/c/signals?timeout=30000', body);
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return JSON.stringify(reply.body);
  };
  const data = [
    { schema: 'public', table: 'a' },
    { schema: 'private', table: 'a' },
  ];
  await tell({ type: 'make', to: 'tasks', data });
  const partitions = async (match: object | null): Promise<number> =>
    ((await tell({ type: 'positions', to: 'connector', data: match })).match(/"partition"/g) ?? []).length;
  await until('all are durable', async () => (await partitions(null)) === 4, START_MS);
  assert.equal(await partitions({ schema: 'public' }), 2);
  assert.equal(await partitions({ schema: 'public', part: 'b' }), 1);
  assert.equal(await partitions({ schema: 'nowhere' }), 0);
  await node.request('POST', '/connectors/c/restart?includeTasks=true');
  await until(
    'a task knows those of the other as well',
    async () => {
      const said = await tell({ type: 'positions', task: 0, data: { schema: 'private' } });
      if (said.match(/"partition"/g)?.length === 2) return true;
      throw new Error(said);
    },
    START_MS,
  );
  assert.match(await tell({ type: 'positions', data: 5 }), /PLUGIN_CONTRACT.*PLUGIN_CONTRACT/s);
});
