import assert from 'node:assert/strict';
import test from 'node:test';
import { Cluster, even } from '../../support/cluster.js';
import { Flows } from '../../support/flows.js';
import { RocketMqLink } from '../../support/rocketmq-link.js';
import { requireService, rocketmqAvailable, startRocketMq } from '../../support/rocketmq.js';
import { until } from '../../support/wait.js';

/** A bound, not an expectation. */
const PATIENCE_MS = 90_000;

test(
  'what a node had on its way when its connections fell silent does not come after its tasks went on elsewhere',
  { skip: requireService(rocketmqAvailable()) },
  async (t) => {
    const rocketmq = await startRocketMq({ proxy: 'separate' });
    t.after(() => rocketmq.stop());
    const cluster = new Cluster({ namesrvAddr: rocketmq.namesrvAddr, 'topic.queues': '4' });
    t.after(() => cluster.destroy());
    const link = await RocketMqLink.open(rocketmq);
    t.after(() => link.close());
    await cluster.create('cut-off', link.settings);
    await cluster.create('other', { 'rocketmq.endpoints': rocketmq.endpoints });
    await Promise.all(cluster.nodes.map((node) => node.start(PATIENCE_MS)));
    const flows = new Flows(cluster, {
      pairs: 3,
      tasks: 2,
      source: { batch: '10', 'pause.ms': '20' },
      patienceMs: PATIENCE_MS,
    });
    await flows.create();
    await flows.running('other');
    await flows.moving();

    link.set({ silent: true });
    await flows.running('other', ['other']);
    await flows.moving();
    // All that the proxy has held goes on its way now.
    link.set();
    // It never saw itself leave, so that it sees two nodes proves nothing; that it is given tasks does.
    await until(
      'the node that was cut off has its share again',
      async () => even(await flows.running('other')),
      PATIENCE_MS,
    );
    await flows.moving();
    await flows.finish('other');
    for (const fault of flows.delivery.faults()) t.diagnostic(fault);
    const { lost, duplicated, reordered, double } = flows.delivery.result();
    assert.deepEqual(
      { lost, duplicated, reordered, double },
      { lost: 0, duplicated: 0, reordered: 0, double: [] },
    );
  },
);
