/** RocketMQ goes away under a cluster of two nodes, in several ways. The tests build on each other. */
import assert from 'node:assert/strict';
import { after, before, test, type TestContext } from 'node:test';
import type { Log } from '#troupe/log/log.js';
import { Cluster } from '../../support/cluster.js';
import { deleteUnderRunning } from '../../support/deleted-topic.js';
import { readJournal, tally, type Act } from '../../support/journal.js';
import { overlaps } from '../../support/overlaps.js';
import { openTestLog, rocketmqSettings } from '../../support/rocketmq-log.js';
import { requireService, rocketmqAvailable, startRocketMq, type RocketMq } from '../../support/rocketmq.js';
import { until } from '../../support/wait.js';

const skip = requireService(rocketmqAvailable());
const TASKS = 4;
/** Longer than a node may stand still when the broker is back: that is no reason to be evicted. */
const EVICTION_MS = 15_000;
/** Much longer than any eviction. */
const OUTAGE_MS = 60_000;
/** A bound, not an expectation. */
const PATIENCE_MS = 120_000;

let rocketmq: RocketMq;
let cluster: Cluster;

before(async () => {
  if (skip !== false) return;
  rocketmq = await startRocketMq({ proxy: 'none', syncFlush: true });
  cluster = new Cluster({
    namesrvAddr: rocketmq.namesrvAddr,
    'task.stop.timeout.ms': '10000',
    'eviction.timeout.ms': String(EVICTION_MS),
  });
  await cluster.start('a', 'b');
  await cluster.put('a', 'src', cluster.source(TASKS, { 'pause.ms': '50' }));
  await cluster.put('b', 'sink', cluster.sink(1));
  await cluster.running('a', 'src', TASKS);
  await cluster.running('b', 'sink', 1);
  await allFlow();
});

after(async () => {
  if (skip !== false) return;
  await cluster.destroy();
  await rocketmq.stop();
});

async function allFlow(): Promise<void> {
  const from = readJournal(cluster.journal).length;
  await until(
    'records of all tasks flow',
    () => {
      const acts = readJournal(cluster.journal).slice(from);
      const units = new Set(
        acts.filter(({ what }) => what === 'poll' || what === 'put').map(({ unit }) => unit),
      );
      return units.size === TASKS + 1;
    },
    PATIENCE_MS,
  );
}

function starts(): string[] {
  return readJournal(cluster.journal)
    .filter(({ what }) => what === 'start')
    .map(({ unit }) => unit);
}

/** What the nodes say of tasks that failed, for the message of a test that did. */
function failures(): string {
  const lines = cluster.nodes.flatMap(({ output }) => output.split('\n'));
  return lines.filter((line) => line.includes('a task failed')).join('\n');
}

async function owners(): Promise<readonly string[]> {
  return [
    ...(await cluster.running('a', 'src', TASKS, undefined, PATIENCE_MS)),
    ...(await cluster.running('b', 'sink', 1, undefined, PATIENCE_MS)),
  ];
}

/** Both nodes say that they are suspended, and why, for so long already. */
async function suspended(forMs: number): Promise<void> {
  for (const node of cluster.nodes) {
    await until(
      'the node says why its tasks wait',
      async () => {
        const health = await node.request('GET', '/health');
        assert.equal(health.status, 500);
        assert.match(JSON.stringify(health.body), /No heartbeat of this node came back from the log since/);
        const { status, body } = await node.request('GET', '/connectors/src/status');
        assert.equal(status, 200);
        const { since, call } = (body as { tasks: { stalled: { since: number; call: string } }[] }).tasks[0]!
          .stalled;
        assert.equal(call, 'heartbeat');
        return Date.now() - since > forMs;
      },
      PATIENCE_MS,
    );
  }
}

/** Nobody took over, nothing was forgotten, and it all goes on by itself. */
async function outage(begin: () => Promise<void>, end: () => Promise<void>): Promise<void> {
  const before = { owners: await owners(), starts: starts() };
  await begin();
  await suspended(0);
  const called = readJournal(cluster.journal).length;
  await suspended(OUTAGE_MS);
  assert.equal(readJournal(cluster.journal).length, called, 'plugins were called without the lease');
  await end();
  await allFlow();
  assert.deepEqual(await owners(), before.owners, 'the tasks are where they were');
  assert.deepEqual(starts(), before.starts, `a task was started anew: ${failures()}`);
  for (const node of cluster.nodes) {
    await until(
      'the node is healthy',
      async () => (await node.request('GET', '/health')).status === 200,
      PATIENCE_MS,
    );
  }
}

test(
  'while the only broker is away for a minute tasks are suspended, and go on when it is back',
  { skip },
  () =>
    outage(
      () => rocketmq.killBroker(),
      () => rocketmq.startBroker(),
    ),
);

test('the name server is away: what runs goes on', { skip }, async () => {
  const before = { owners: await owners(), starts: starts() };
  await rocketmq.stopNameServer();
  await allFlow();
  await rocketmq.startNameServer();
  await rocketmq.registered();
  await allFlow();
  assert.deepEqual(await owners(), before.owners);
  assert.deepEqual(starts(), before.starts, failures());
});

test('nothing was lost, and nothing ran twice', { skip }, async () => {
  const { status } = await cluster.node('a').request('PUT', '/connectors/src/stop');
  assert.equal(status, 204);
  await until('all tasks have stopped', () => {
    const stopped = readJournal(cluster.journal).filter(
      ({ what, unit }) => what === 'stop' && unit.startsWith('src/'),
    );
    return stopped.length === TASKS;
  });
  const counted = await until(
    'the sink has every record',
    () => {
      const found = tally(readJournal(cluster.journal), 'sink/0');
      return found.lost === 0 && found;
    },
    PATIENCE_MS,
  );
  assert.ok(counted.records > 0);
  assert.deepEqual(overlaps(readJournal(cluster.journal)), []);
});

/** Nodes on the same RocketMQ that know nothing of the others. */
function apart(t: TestContext, name: string): { readonly cluster: Cluster; readonly topics: string[] } {
  const keys = ['clusterStoreTopic', 'configStoreTopic', 'positionStoreTopic', 'offsetStoreTopic'];
  const named = keys.map((key): [string, string] => [key, `${name}-${key}`]);
  const cluster = new Cluster({ namesrvAddr: rocketmq.namesrvAddr, ...Object.fromEntries(named) });
  t.after(() => cluster.destroy());
  return { cluster, topics: named.map(([, topic]) => topic) };
}

function openLog(t: TestContext): Log {
  const log = openTestLog(rocketmqSettings(rocketmq));
  t.after(() => log.close());
  return log;
}

test('a cluster whose four topics are gone goes on from the files of its nodes', { skip }, async (t) => {
  const { cluster: cold, topics } = apart(t, 'cold');
  const put = (acts: readonly Act[]): number[] =>
    acts.filter(({ what, unit }) => what === 'put' && unit === 'sink/0').map(({ offset }) => offset);
  await cold.start('a', 'b');
  await cold.put('a', 'src', cold.source(1, { topic: 'cold' }));
  await cold.put('a', 'sink', cold.sink(1, { topics: 'cold' }));
  await until('records flow', () => put(readJournal(cold.journal)).length > 50, PATIENCE_MS);
  for (const id of cold.ids) assert.equal(await cold.node(id).stop(), 0);
  const log = openLog(t);
  for (const topic of topics) await log.deleteTopic(topic);

  const before = readJournal(cold.journal);
  const since = (): Act[] => readJournal(cold.journal).slice(before.length);
  await cold.start('a', 'b');
  await cold.running('a', 'src', 1, undefined, PATIENCE_MS);
  await cold.running('b', 'sink', 1, undefined, PATIENCE_MS);
  await until('records flow again', () => put(since()).length > 50, PATIENCE_MS);
  const stopped = before.findLast(({ what, unit }) => what === 'stop' && unit === 'src/0');
  const started = since().find(({ what, unit }) => what === 'start' && unit === 'src/0');
  assert.equal(started?.value, stopped?.value, 'the source goes on where it stopped');
  assert.equal(put(since())[0], Math.max(...put(before)) + 1, 'the sink goes on where it stopped');
});

test(
  'a topic deleted under running connectors fails their tasks with a reason, and no others',
  { skip },
  async (t) => {
    await cluster.node('a').request('DELETE', '/connectors/sink');
    await cluster.node('a').request('DELETE', '/connectors/src');
    const { cluster: alone } = apart(t, 'alone');
    await alone.start('a');
    const log = openLog(t);
    // A broker that was sent a record in that moment goes on with the old numbers in the new topic.
    await deleteUnderRunning(alone, 'a', (topic) => log.deleteTopic(topic), {});
  },
);
