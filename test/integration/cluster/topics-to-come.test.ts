import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from '../../support/cluster.js';
import { readJournal, type Act } from '../../support/journal.js';
import { until } from '../../support/wait.js';

for (const [kind, starts] of [
  ['RecordingSink', 'starts again'],
  ['OpeningSink', 'goes on'],
] as const)
  test(`a sink of a pattern reads topics that begin to match while it runs, and each record once, where it ${starts} for them`, async (t) => {
    const cluster = new Cluster({ 'topic.queues': '2' });
    t.after(() => cluster.destroy());
    await cluster.start('a');
    await cluster.put('a', 'sink', {
      'connector.class': kind,
      'tasks.max': '2',
      'topics.regex': '.*',
      'topics.refresh.ms': '100',
      journal: cluster.journal,
    });
    // There is none yet that it could read, and that is no failure.
    await cluster.running('a', 'sink', 2);
    const puts = (): readonly Act[] => readJournal(cluster.journal).filter(({ what }) => what === 'put');
    for (const topic of ['log-a', 'log-b', 'log-c']) {
      await cluster.put('a', topic, cluster.source(1, { topic }));
      await until(`records of ${topic} arrive from both its queues`, () => {
        const ofTopic = puts().filter(({ value }) => value.startsWith(`${topic}/`));
        return new Set(ofTopic.map(({ queue }) => queue)).size === 2;
      });
    }
    const values = puts().map(({ value }) => value);
    assert.equal(new Set(values).size, values.length, 'a start with more topics goes on from the commit');
    assert.deepEqual(
      values.filter((value) => !value.startsWith('log-')),
      [],
      "the cluster's own topics are not read",
    );
    if (kind === 'OpeningSink') {
      const acts = readJournal(cluster.journal).filter(({ unit }) => unit.startsWith('sink/'));
      assert.equal(acts.filter(({ what }) => what === 'start').length, 2);
      assert.equal(acts.filter(({ what }) => what === 'open').length, 6);
    }
  });
