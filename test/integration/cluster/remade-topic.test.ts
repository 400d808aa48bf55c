/** What happens to the topic of a sink while the sink does not read it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { batchOf } from '../../conformance/log-batches.js';
import { Cluster } from '../../support/cluster.js';
import { readJournal, type Act } from '../../support/journal.js';
import { until } from '../../support/wait.js';

const KEPT = { retentionMs: null, retentionBytes: null };

interface Stage {
  readonly cluster: Cluster;
  readonly store: EmbeddedStore;
  readonly fill: (queues: number, values: readonly string[]) => Promise<void>;
  readonly puts: () => readonly Act[];
  /** Until each queue's sink has put and committed so much. */
  readonly committed: (queues: number, offset: number) => Promise<unknown>;
}

async function stage(t: TestContext, tasks: number): Promise<Stage> {
  const cluster = new Cluster();
  t.after(() => cluster.destroy());
  await cluster.start('a');
  const store = await EmbeddedStore.open({ dir: join(cluster.dir, 'log') });
  t.after(() => store.close());
  await store.createTopic('numbers', { queues: 2, ...KEPT });
  await cluster.put('a', 'sink', cluster.sink(tasks, { 'offset.flush.interval.ms': '100' }));
  await cluster.running('a', 'sink', tasks);
  return {
    cluster,
    store,
    fill: async (queues, values) => {
      for (let queue = 0; queue < queues; queue += 1) {
        const batch = batchOf(values.map((value) => `${value}/${queue}`));
        await store.append({ entries: [{ topic: 'numbers', queue, batch }] });
      }
    },
    puts: () => readJournal(cluster.journal).filter(({ what }) => what === 'put'),
    committed: (queues, offset) =>
      until(`all is committed up to ${offset}`, async () => {
        const group = await store.committedOffsets('connect-sink');
        const done = group.filter((item) => item.offset === offset).length === queues;
        return done || Promise.reject(new Error(JSON.stringify(group)));
      }),
  };
}

async function ask(cluster: Cluster, path: string): Promise<void> {
  const { status, body } = await cluster.node('a').request('PUT', `/connectors/sink/${path}`);
  assert.ok(status < 300, JSON.stringify(body));
}

test('a topic that is made anew while its sink is stopped, with more queues and records than before, is read from its first record', async (t) => {
  const { cluster, store, fill, puts, committed } = await stage(t, 2);
  await fill(2, ['old 1', 'old 2', 'old 3']);
  await committed(2, 3);
  await ask(cluster, 'stop');
  await until('it is stopped', async () => (await cluster.status('a', 'sink')).tasks.length === 0);
  await store.deleteTopic('numbers');
  await store.createTopic('numbers', { queues: 4, ...KEPT });
  await fill(4, ['new 1', 'new 2', 'new 3', 'new 4', 'new 5']);
  await ask(cluster, 'resume');
  await committed(4, 5);
  const values = puts().map(({ value }) => value);
  assert.equal(new Set(values).size, values.length);
  assert.equal(values.filter((value) => value.startsWith('new')).length, 20);
  const readers = new Set(
    puts()
      .filter(({ value }) => value.startsWith('new'))
      .map(({ queue, unit }) => `${queue} ${unit}`),
  );
  assert.equal(readers.size, 4, [...readers].join(', '));
});

test('records that retention takes from a stopped sink stand in the status of its task', async (t) => {
  const { cluster, store, fill, puts, committed } = await stage(t, 1);
  await fill(2, ['1', '2']);
  await committed(2, 2);
  await ask(cluster, 'stop');
  await until('it is stopped', async () => (await cluster.status('a', 'sink')).tasks.length === 0);
  // A batch is deleted as a whole.
  for (const values of [['3', '4', '5'], ['6', '7', '8'], ['9']]) await fill(2, values);
  await store.trim('numbers', 1, 8);
  await ask(cluster, 'resume');
  await committed(2, 9);
  const notes = await until('it is said', async () => {
    const { body } = await cluster.node('a').request('GET', '/connectors/sink/tasks/0/status');
    const { notes: found } = body as { notes?: readonly { code: string; since: number; message: string }[] };
    return found ?? Promise.reject(new Error(JSON.stringify(body)));
  });
  assert.equal(notes.length, 1);
  assert.equal(notes[0]?.code, 'RECORDS_LOST');
  assert.match(
    notes[0]?.message ?? '',
    /^retention deleted 6 records .* topic numbers, queue 1, from offset 2 to 7\./,
  );
  const values = puts().filter(({ queue }) => queue === 1);
  assert.deepEqual(
    values.map(({ value }) => value),
    ['1/1', '2/1', '9/1'],
  );
});
