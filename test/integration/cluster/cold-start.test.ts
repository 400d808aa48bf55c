/** The topics of the cluster are empty, as when they have expired, and everything comes back from the nodes' files. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { Cluster } from '../../support/cluster.js';
import { readJournal } from '../../support/journal.js';
import { contentOf } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

const TOPICS = ['cluster', 'config', 'position', 'offset'].map((name) => `connector-${name}-topic`);
const FILES = ['connectorConfig.json', 'taskConfig.json', 'position.json', 'offset.json'];

function clusterFor(t: TestContext): Cluster {
  const cluster = new Cluster({ 'cold.start.wait.ms': '8000' });
  t.after(() => cluster.destroy());
  return cluster;
}

/** What a week without nodes does to the topics where records go by age. */
async function expire(cluster: Cluster): Promise<void> {
  const store = await EmbeddedStore.open({ dir: join(cluster.dir, 'log') });
  for (const topic of TOPICS) {
    const [range] = await store.ranges(topic);
    await store.trim(topic, 0, range!.endOffset);
  }
  await store.close();
}

function folder(cluster: Cluster, id: string): string {
  return join(cluster.dir, id, 'store');
}

function file(cluster: Cluster, id: string, name: string): string {
  return contentOf(join(folder(cluster, id), name))?.toString() ?? '';
}

async function send(
  cluster: Cluster,
  id: string,
  method: string,
  path: string,
  status: number,
): Promise<unknown> {
  const answer = await cluster.node(id).request(method, path);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer.body;
}

async function stopOthers(cluster: Cluster): Promise<void> {
  for (const id of ['a', 'b']) assert.equal(await cluster.node(id).stop(), 0);
}

async function delivered(cluster: Cluster, from: number, records: number): Promise<void> {
  await until('the sink goes on', () => {
    const acts = readJournal(cluster.journal).slice(from);
    return acts.filter(({ what, unit }) => what === 'put' && unit === 'sink/0').length >= records;
  });
}

test('nodes whose topics are empty go on from the newest files, and a stale node brings nothing', async (t) => {
  const cluster = clusterFor(t);
  // Until the others have booted: what they write ends its waiting.
  await cluster.create('c', { 'cold.start.wait.ms': '60000' });
  await cluster.start('a', 'b', 'c');
  await cluster.put('a', 'src', cluster.source(2));
  await cluster.put('a', 'sink', cluster.sink(1, { 'offset.flush.interval.ms': '200' }));
  await cluster.put('a', 'old', cluster.source(1, { topic: 'old' }));
  await cluster.put('a', 'rest', cluster.source(1, { topic: 'rest' }));
  await cluster.running('a', 'src', 2);
  await cluster.running('a', 'old', 1);
  await delivered(cluster, 0, 50);
  // c is away from here on: its files become stale.
  await cluster.node('c').stop();
  await cluster.members('a', (ids) => !ids.includes('c'));
  await send(cluster, 'a', 'DELETE', '/connectors/old', 204);
  await send(cluster, 'a', 'PUT', '/connectors/rest/pause', 202);
  await delivered(cluster, readJournal(cluster.journal).length, 100);
  await stopOthers(cluster);
  await expire(cluster);

  const from = readJournal(cluster.journal).length;
  // The stale one first: the others come while it waits for them.
  cluster.node('c').spawn();
  await until('c waits', () => cluster.node('c').output.includes('waiting for nodes with newer files'));
  assert.equal((await cluster.node('c').request('GET', '/connectors')).status, 503);
  await cluster.start('a', 'b');
  await cluster.node('c').booted(120_000);
  for (const id of cluster.ids) {
    assert.deepEqual(((await send(cluster, id, 'GET', '/connectors', 200)) as string[]).sort(), [
      'rest',
      'sink',
      'src',
    ]);
  }
  await cluster.running('c', 'src', 2);
  await cluster.running('c', 'sink', 1);
  assert.equal((await cluster.status('c', 'rest')).connector.state, 'PAUSED');
  await delivered(cluster, from, 20);
  const acts = readJournal(cluster.journal);
  for (const unit of ['src/0', 'src/1']) {
    const last = acts
      .slice(0, from)
      .filter((act) => act.what === 'stop' && act.unit === unit)
      .at(-1);
    const first = acts.slice(from).find((act) => act.what === 'start' && act.unit === unit);
    assert.equal(first?.value, last?.value, `${unit} goes on where it stopped`);
  }
  const put = (list: typeof acts): number[] =>
    list.filter(({ what, unit }) => what === 'put' && unit === 'sink/0').map(({ offset }) => offset);
  assert.equal(put(acts.slice(from))[0], Math.max(...put(acts.slice(0, from))) + 1, 'the sink goes on');

  // What c writes from here on is newer than all files there were.
  await cluster.node('c').stop();
  assert.match(file(cluster, 'c', 'connectorConfig.json'), /"life": 1/);
});

test('a node with files of a week ago joins a cluster that runs, and changes nothing', async (t) => {
  const cluster = clusterFor(t);
  await cluster.start('a', 'b');
  await cluster.put('a', 'gone', cluster.source(1, { topic: 'gone' }));
  await cluster.running('b', 'gone', 1);
  await cluster.node('b').stop();
  const kept = join(cluster.dir, 'kept');
  cpSync(folder(cluster, 'b'), kept, { recursive: true });
  assert.deepEqual(
    FILES.filter((name) => contentOf(join(kept, name)) === null),
    [],
  );
  await send(cluster, 'a', 'DELETE', '/connectors/gone', 204);
  await cluster.put('a', 'src', cluster.source(1));
  await cluster.start('b');
  assert.deepEqual(await send(cluster, 'b', 'GET', '/connectors', 200), ['src']);
  assert.doesNotMatch(cluster.node('b').output, /COLD_START|newer files/);
});
