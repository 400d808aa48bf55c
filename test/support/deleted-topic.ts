/** Somebody deletes the topic of connectors that run: the same story on both logs. */
import assert from 'node:assert/strict';
import type { Cluster } from './cluster.js';
import { readJournal, type Act } from './journal.js';
import { until } from './wait.js';

const PATIENCE_MS = 60_000;

export async function deleteUnderRunning(
  cluster: Cluster,
  node: string,
  deleteTopic: (topic: string) => Promise<unknown>,
  /** Of the first record that the sink is given from the new topic. */
  first: Partial<Act>,
): Promise<void> {
  const topic = 'doomed';
  await cluster.put(node, 'src', cluster.source(2, { topic }));
  await cluster.put(node, 'sink', cluster.sink(1, { topics: topic, 'offset.flush.interval.ms': '200' }));
  await cluster.put(node, 'other', cluster.source(1, { topic: 'others' }));
  await cluster.running(node, 'src', 2);
  await cluster.running(node, 'sink', 1);
  await cluster.running(node, 'other', 1);
  const since = (from: number, act: Partial<Act>): Promise<boolean> =>
    until(
      `there is ${JSON.stringify(act)}`,
      () => readJournal(cluster.journal).slice(from).some(matches(act)),
      PATIENCE_MS,
    );
  await since(0, { what: 'put', unit: 'sink/0' });

  const before = readJournal(cluster.journal).length;
  await deleteTopic(topic);
  for (const [connector, tasks] of [
    ['src', [0, 1]],
    ['sink', [0]],
  ] as const) {
    for (const task of tasks) {
      const trace = await failure(cluster, node, connector, task);
      assert.match(trace, /^LOG_UNKNOWN_TOPIC: .*doomed.*restart the task/);
    }
  }
  const failed = readJournal(cluster.journal).length;
  await since(failed, { what: 'poll', unit: 'other/0' });
  const starts = readJournal(cluster.journal)
    .slice(before)
    .filter(({ what }) => what === 'start');
  assert.deepEqual(starts, [], 'no task was started again by itself');

  for (const name of ['src', 'sink']) {
    const path = `/connectors/${name}/restart?includeTasks=true&onlyFailed=true`;
    const { status, body } = await cluster.node(node).request('POST', path);
    assert.equal(status, 202, JSON.stringify(body));
  }
  await cluster.running(node, 'src', 2);
  await cluster.running(node, 'sink', 1);
  await since(failed, { what: 'put', unit: 'sink/0', ...first });
}

function matches(wanted: Partial<Act>): (act: Act) => boolean {
  return (act) => Object.entries(wanted).every(([key, value]) => act[key as keyof Act] === value);
}

function failure(cluster: Cluster, node: string, connector: string, task: number): Promise<string> {
  return until(
    `${connector}/${task} has failed`,
    async () => {
      const status = await cluster.status(node, connector);
      const found = status.tasks[task];
      if (found?.state === 'FAILED') return found.trace ?? 'no trace';
      throw new Error(JSON.stringify(status));
    },
    PATIENCE_MS,
  );
}
