/** Three real processes on a real RocketMQ. The tests build on each other, in this order. */
import assert from 'node:assert/strict';
import { after, before, describe, test, type TestContext } from 'node:test';
import { Cluster, even } from '../../support/cluster.js';
import { Flows } from '../../support/flows.js';
import { readJournal } from '../../support/journal.js';
import { requireService, rocketmqAvailable, startRocketMq, type RocketMq } from '../../support/rocketmq.js';
import { until } from '../../support/wait.js';

const IDS = ['a', 'b', 'c'];
const PAIRS = Number(process.env['TEST_CONNECTORS'] ?? 6) / 2;
/** A bound, not an expectation. */
const PATIENCE_MS = 90_000;
/** Records come every 0.2 s; what is longer than this is a pause. */
const PAUSE_MS = 1000;

describe('three nodes on one RocketMQ', { skip: requireService(rocketmqAvailable()) }, () => {
  let rocketmq: RocketMq;
  let cluster: Cluster;
  let flows: Flows;

  before(async () => {
    rocketmq = await startRocketMq();
    cluster = new Cluster({
      namesrvAddr: rocketmq.namesrvAddr,
      'rocketmq.endpoints': rocketmq.endpoints,
      'offset.flush.interval.ms': '1000',
      'topic.queues': '4',
    });
    flows = new Flows(cluster, {
      pairs: PAIRS,
      tasks: 2,
      source: { batch: '20', 'pause.ms': '200' },
      patienceMs: PATIENCE_MS,
    });
    for (const id of IDS) await cluster.create(id);
  });

  after(async () => {
    await cluster.destroy();
    await rocketmq.stop();
  });

  test('they find each other', async (t) => {
    await Promise.all(IDS.map((id) => cluster.node(id).start(PATIENCE_MS)));
    await seconds(t, 'from the last boot to one cluster', () =>
      Promise.all(IDS.map((id) => cluster.members(id, (ids) => ids.length === IDS.length))),
    );
  });

  test('they share the tasks of all connectors evenly, whichever node was asked for them', async (t) => {
    await seconds(t, `${PAIRS * 2} connectors, made one after the other`, () => flows.create());
    const counts = await seconds(t, 'until all run', () => shared('a', IDS));
    assert.ok(even(counts), counts.join());
    await flows.moving();
  });

  test('any node answers for all', async () => {
    for (const path of ['/connectors?expand=info&expand=status', '/getClusterInfo', '/getAllocatedInfo']) {
      await until(`all nodes answer ${path} alike`, async () => {
        const answers = await Promise.all(IDS.map((id) => cluster.node(id).request('GET', path)));
        const [first, ...others] = answers.map(({ status, body }) => ({ status, body }));
        assert.equal(first?.status, 200);
        for (const other of others) assert.deepEqual(other, first);
        return true;
      });
    }
  });

  test('when a node is killed the others go on with its tasks', async (t) => {
    await cluster.node('b').kill();
    const counts = await seconds(t, 'from SIGKILL until all tasks run on the other two', () =>
      shared('c', ['a', 'c']),
    );
    assert.ok(even(counts), counts.join());
    await flows.moving();
  });

  test('a node that comes takes its share', async (t) => {
    await cluster.node('b').start(PATIENCE_MS);
    const counts = await seconds(t, 'from the boot until it has its share', () => shared('a', IDS));
    assert.ok(even(counts), counts.join());
    await flows.moving();
  });

  test('a node that leaves politely gives its tasks away, and ends with 0', async (t) => {
    const before = starts();
    const stopped = cluster.node('c').stop();
    const counts = await seconds(t, 'from SIGTERM until its tasks run elsewhere', () =>
      flows.running('a', ['a', 'b']),
    );
    assert.equal(await stopped, 0);
    assert.ok(even(counts), counts.join());
    assert.equal(starts() - before, flows.tasks / 3, 'only its own tasks were interrupted');
    await cluster.node('c').start(PATIENCE_MS);
    await shared('a', IDS);
  });

  test('every node is restarted in turn, under load', async (t) => {
    for (const id of IDS) {
      const [witness = ''] = IDS.filter((other) => other !== id);
      assert.equal(await cluster.node(id).stop(), 0);
      await cluster.node(id).start(PATIENCE_MS);
      await seconds(t, `${id} has its share again`, () => shared(witness, IDS));
    }
    await flows.moving();
  });

  test('in all this no record was lost, and no task ran twice at once', async (t) => {
    await flows.finish('b');
    const result = flows.delivery.result();
    t.diagnostic(JSON.stringify(result));
    for (const { unit, longestMs, sumMs } of flows.delivery.pauses(PAUSE_MS))
      t.diagnostic(
        `${unit}: pauses of ${Math.round(sumMs)} ms together, the longest ${Math.round(longestMs)} ms`,
      );
    const { lost, reordered, double } = result;
    assert.deepEqual({ lost, reordered, double }, { lost: 0, reordered: 0, double: [] });
  });

  function starts(): number {
    return readJournal(cluster.journal).filter(({ what }) => what === 'start').length;
  }

  function shared(at: string, ids: readonly string[]): Promise<readonly number[]> {
    return until(
      'the tasks are shared evenly',
      async () => {
        const counts = await flows.running(at, ids);
        return even(counts) ? counts : null;
      },
      PATIENCE_MS,
    );
  }
});

async function seconds<T>(t: TestContext, what: string, act: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await act();
  t.diagnostic(`${what}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
  return result;
}
