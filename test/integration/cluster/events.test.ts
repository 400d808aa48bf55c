import assert from 'node:assert/strict';
import test from 'node:test';
import { Cluster } from '../../support/cluster.js';
import { EventClient } from '../../support/event-client.js';
import { START_MS } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

test('any node tells what happens to a connector, and one that goes on for another misses nothing', async (t) => {
  const cluster = new Cluster();
  t.after(() => cluster.destroy());
  await cluster.start('a');
  await cluster.start('b');
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const ofA = await EventClient.open(a.port, '?connector=numbers');
  await b.run('numbers', {
    'connector.class': 'NumberingSource',
    topic: 't',
    'tasks.max': '2',
    journal: cluster.journal,
  });
  await ofA.next('created', { state: 'RUNNING' });
  await ofA.next('planned', { tasks: 2 });
  for (const task of [null, 0, 1]) await ofA.next('state', { task, state: 'RUNNING' });
  const { data } = await ofA.next('state', { task: 1, state: 'RUNNING' });
  const owner = String(data['worker_id']);
  ofA.close();
  const missed = ofA.lastId;

  // While nobody listens.
  const survivor = owner === 'a' ? b : a;
  await survivor.request('PUT', '/connectors/numbers/pause');
  await survivor.request('PUT', '/connectors/numbers/resume');
  await cluster.node(owner).kill();
  const other = await EventClient.open(survivor.port, '?connector=numbers', { after: missed });
  await other.next('target', { state: 'PAUSED' });
  await other.next('target', { state: 'RUNNING' });
  const moved = await other.next('moved', { task: 1, from: owner });
  assert.equal(moved.data['to'], owner === 'a' ? 'b' : 'a');
  await until(
    'the task runs there',
    () =>
      other.events.some(
        ({ event, data: { task, state, worker_id } }) =>
          event === 'state' && task === 1 && state === 'RUNNING' && worker_id === moved.data['to'],
      ),
    START_MS,
  );
  assert.deepEqual(
    other.events.filter(({ event }) => event === 'gap' || event === 'closed'),
    [],
  );
  const ids = other.events.map(({ id }) => id.split('-').map(Number));
  ids.reduce((before, id) => {
    assert.ok(
      id.every((place, i) => place >= (before[i] ?? 0)),
      'places only grow',
    );
    return id;
  });
});
