import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { Cluster } from '../support/cluster.js';
import { readJournal } from '../support/journal.js';
import { contentOf } from '../support/node-process.js';
import { overlaps } from '../support/overlaps.js';
import { random } from '../support/random.js';
import { letPass, until } from '../support/wait.js';

const ROUNDS = Number(process.env['TEST_ROUNDS'] ?? 8);
const TASKS = 6;
const IDS = ['a', 'b', 'c'];

test(`no record is lost or stands twice, and no task runs twice, after ${ROUNDS} nodes were killed or suspended`, async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  const cluster = new Cluster({
    'heartbeat.interval.ms': '250',
    'lease.ms': '1000',
    'eviction.timeout.ms': '2000',
  });
  t.after(() => cluster.destroy());
  const output = join(cluster.dir, 'out.txt');
  await cluster.start(...IDS);
  await cluster.put('a', 'src', cluster.source(TASKS, { batch: '30', 'pause.ms': '150' }));
  await cluster.put('b', 'out', cluster.sink(1));
  await cluster.put('c', 'file', {
    'connector.class': 'FileSinkConnector',
    topics: 'numbers',
    file: output,
    'base.dir': cluster.dir,
  });
  await cluster.running('c', 'src', TASKS);
  let kills = 0;
  let held = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const victim = IDS[next(IDS.length)] ?? 'a';
    const [witness = 'a', other = 'a'] = IDS.filter((id) => id !== victim);
    const node = cluster.node(victim);
    await letPass(next(300));
    if (next(2) === 0) {
      kills += 1;
      await node.kill();
      // Often it is back before the others miss it.
      if (next(3) > 0) await movedFrom(cluster, victim, witness);
      node.spawn();
      await node.booted();
    } else {
      held += await suspend(cluster, victim, witness);
      await letPass(next(500));
      cluster.resume(victim);
    }
    // Somebody asks for a restart in the middle of it.
    await cluster.node(other).request('POST', `/connectors/src/tasks/${next(TASKS)}/restart`);
    await cluster.members(witness, (ids) => ids.length === IDS.length);
  }
  await cluster.running('a', 'src', TASKS);
  // Away with the sources: in stopping each tells how much it has made.
  await until('the sources are told to stop', async () => {
    // A node that was suspended a moment ago may just be joining again.
    const { status, body } = await cluster.node('b').request('PUT', '/connectors/src/stop');
    if (status === 204) return true;
    throw new Error(JSON.stringify(body));
  });
  await until('the sources have stopped', async () => (await cluster.status('c', 'src')).tasks.length === 0);
  const { lost, duplicates, disordered, records } = await cluster.countAll('a');
  const acts = readJournal(cluster.journal);
  const topic = acts.filter(({ unit, what }) => unit === 'count/0' && what === 'put');
  const text = topic.map(({ value }) => `${value}\n`).join('');
  await until('the file is complete', () => (contentOf(output)?.length ?? 0) >= text.length).catch(
    () => undefined,
  );
  const double = overlaps(acts, cluster.suspensions);
  t.diagnostic(
    `${kills} kills, ${cluster.suspensions.length} suspensions (${held} of them held up all; ${overlaps(acts).length} in the middle of a call), ${records} records: ${lost} lost, ${duplicates} twice, ${double.length} ran twice`,
  );
  assert.deepEqual(
    { lost, duplicates, disordered, double },
    { lost: 0, duplicates: 0, disordered: [], double: [] },
  );
  assert.ok(
    contentOf(output)?.toString('utf8') === text,
    'the file holds the topic, each record once and in order',
  );
  await until('the other sink was given everything', () => {
    const puts = readJournal(cluster.journal).filter(({ unit, what }) => unit === 'out/0' && what === 'put');
    return new Set(puts.map(({ offset }) => offset)).size === records;
  });
});

/**
 * Suspends the node and waits until the others run what it had. Suspended in the middle of a commit it holds the store's
 * write lock, and nobody can take over anything: then it goes on, and is suspended again. Answers how often.
 */
async function suspend(cluster: Cluster, victim: string, witness: string): Promise<number> {
  for (let held = 0; ; held += 1) {
    cluster.suspend(victim);
    try {
      await movedFrom(cluster, victim, witness, 6000);
      return held;
    } catch (error) {
      if (held === 10) throw error;
      cluster.resume(victim);
      await cluster.members(witness, (ids) => ids.includes(victim));
      await cluster.running(witness, 'src', TASKS);
    }
  }
}

async function movedFrom(
  cluster: Cluster,
  victim: string,
  witness: string,
  deadlineMs?: number,
): Promise<void> {
  await cluster.running(witness, 'src', TASKS, (owners) => !owners.includes(victim), deadlineMs);
}
