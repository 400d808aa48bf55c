import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { Cluster } from '../../support/cluster.js';
import { readJournal } from '../../support/journal.js';
import { until } from '../../support/wait.js';

/** A node with a topic that keeps next to nothing that was read, and its store as another process sees it. */
async function setUp(t: TestContext): Promise<{ cluster: Cluster; store: EmbeddedStore }> {
  const cluster = new Cluster();
  t.after(() => cluster.destroy());
  await cluster.start('a');
  const store = await EmbeddedStore.open({ dir: join(cluster.dir, 'log'), retentionCheckMs: 0 });
  t.after(() => store.close());
  await store.createTopic('numbers', { queues: 1, retentionMs: null, retentionBytes: 1 });
  return { cluster, store };
}

async function request(cluster: Cluster, method: string, path: string): Promise<void> {
  const { status, body } = await cluster.node('a').request(method, path);
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
}

async function startOf(store: EmbeddedStore, topic: string): Promise<number> {
  return (await store.ranges(topic))[0]?.startOffset ?? -1;
}

function delivered(cluster: Cluster, unit: string): number {
  return readJournal(cluster.journal).filter((act) => act.what === 'put' && act.unit === unit).length;
}

test('what a sink that was deleted and made anew has not read is kept, though its group went with the first', async (t) => {
  const { cluster, store } = await setUp(t);
  await cluster.put('a', 'out', cluster.sink(1, { 'offset.flush.interval.ms': '100' }));
  await cluster.put('a', 'in', cluster.source(1));
  await until('it has committed', async () =>
    (await store.committedOffsets('connect-out')).some(({ offset }) => offset > 0),
  );
  await request(cluster, 'DELETE', '/connectors/out');
  await until('its task has ended', () => readJournal(cluster.journal).some(({ what }) => what === 'stop'));
  // As the node does after a while.
  await store.deleteGroup('connect-out');
  await cluster.node('a').request('POST', '/connectors', {
    name: 'out',
    config: cluster.sink(1),
    initial_state: 'STOPPED',
  });
  const [known] = await until('it has a group again, before it runs', async () => {
    const found = await store.committedOffsets('connect-out');
    return found.length > 0 && found;
  });
  const before = delivered(cluster, 'out/0');
  assert.ok((known?.offset ?? 0) > 0, 'and goes on where it was');
  await until('there is more to read', async () => {
    const [range] = await store.ranges('numbers');
    return (range?.endOffset ?? 0) > (known?.offset ?? 0) + 100;
  });
  await store.applyRetention();
  assert.ok((await startOf(store, 'numbers')) <= (known?.offset ?? 0));
  await request(cluster, 'PUT', '/connectors/out/resume');
  await until('it reads on', () => delivered(cluster, 'out/0') > before);
});

test('a topic that a sink has left is not held by the offsets that it has there', async (t) => {
  const { cluster, store } = await setUp(t);
  await cluster.put('a', 'out', cluster.sink(1));
  await cluster.running('a', 'out', 1);
  await request(cluster, 'PUT', '/connectors/out/pause');
  await cluster.put('a', 'in', cluster.source(1));
  const grown = (past: number): Promise<number> =>
    until('the topic grows', async () => {
      const end = (await store.ranges('numbers'))[0]?.endOffset ?? 0;
      return end > past && end;
    });
  const end = await grown(1000);
  await store.applyRetention();
  const held = await startOf(store, 'numbers');
  assert.ok(held < end, 'the paused sink holds what it has not read');
  await cluster.put('a', 'out', cluster.sink(1, { topics: 'other' }));
  await until('what it has left goes', async () => {
    await store.applyRetention();
    return (await startOf(store, 'numbers')) >= end;
  });
});
