import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricsReader } from '#troupe/actors/kernel/metrics-reader.js';
import type { ActorMetrics } from '#troupe/actors/kernel/protocol.js';
import { until } from '../../support/wait.js';
import { actor, supervisor, Troupe } from './troupe.js';

function metricsOf(troupe: Troupe, id: string): ActorMetrics {
  const found = troupe.system.metrics(0).changed.find((each) => each.id === id);
  assert.ok(found !== undefined, `nothing is known of ${id}`);
  return found;
}

/** What was counted of this, and what is measured; undefined: nothing. */
function read(
  troupe: Troupe,
  id: string,
  what: string,
): { counted?: number | undefined; asked?: number | undefined } {
  const reader = new MetricsReader();
  reader.add(metricsOf(troupe, id).chunks);
  const [counted, asked] = ['meter_counted_total', 'meter_asked'].map((name) =>
    reader
      .metrics()
      .filter(({ metric }) => metric.name === name)
      .flatMap(({ metric, series }) => series.filter((each) => metric.type !== 'gauge' || each.isSet))
      .find(({ values }) => values.length === 0 || values[0] === what)
      ?.read()
      .at(0),
  );
  return { counted, asked };
}

function count(troupe: Troupe, id: string, what: string, by: number): Promise<unknown> {
  return until('it answers', async () => (await troupe.ask(id, 'count', { what, by })) === null);
}

test('what a thread has counted goes on with the next, however it ended; what it measured does not', async () => {
  await using troupe = new Troupe([actor('meter', 'meter')], { peers: ['meter'] });
  await troupe.system.started;
  const ends: readonly (() => Promise<unknown> | boolean)[] = [
    () => troupe.tell('meter', 'fault'),
    () => troupe.system.kill('meter'),
  ];
  for (const [turn, end] of ends.entries()) {
    await count(troupe, 'meter', 'a', 3);
    await count(troupe, 'meter', `only ${turn}`, 1);
    assert.deepEqual(read(troupe, 'meter', 'a'), { counted: 3 * (turn + 1), asked: 2 });
    await end();
    await troupe.reaches('meter', 'running', turn + 2);
    assert.deepEqual(read(troupe, 'meter', 'a'), { counted: 3 * (turn + 1), asked: undefined });
    assert.equal(metricsOf(troupe, 'meter').restarts, turn + 1);
  }
  await count(troupe, 'meter', 'a', 1);
  assert.equal(read(troupe, 'meter', 'a').counted, 7);
  assert.equal(read(troupe, 'meter', 'only 0').counted, 1);
});

test('a thread that is terminated in the middle of counting leaves a whole number, which never goes back', async () => {
  await using troupe = new Troupe([actor('meter', 'meter')], { peers: ['meter'] });
  await troupe.system.started;
  let most = 0;
  for (let life = 1; life <= 5; life += 1) {
    await troupe.reaches('meter', 'running', life);
    await troupe.tell('meter', 'countOn');
    const before = most;
    await until('it counts', () => (most = read(troupe, 'meter', 'on').counted ?? 0) > before + 1000);
    troupe.system.kill('meter');
    await troupe.exit('meter', life);
    const left = read(troupe, 'meter', 'on').counted ?? 0;
    assert.ok(left >= most && Number.isInteger(left), `${left} after ${most}`);
    most = left;
  }
});

test('an actor that was stopped, and is added again, goes on; meanwhile its counts are there', async () => {
  await using troupe = new Troupe([supervisor('tasks', [])], { peers: ['meter'] });
  const add = (): Promise<unknown> =>
    troupe.perform({ do: 'startChild', supervisor: 'tasks', spec: actor('meter', 'meter') });
  await add();
  await count(troupe, 'meter', 'a', 2);
  const { version } = troupe.system.metrics(0);
  assert.deepEqual(troupe.system.metrics(version).changed, [], 'counting is no change');
  await troupe.perform({ do: 'stopChild', id: 'meter' });
  const stopped = troupe.system.metrics(version);
  assert.deepEqual(
    stopped.changed.map(({ id, thread }) => ({ id, thread })),
    [{ id: 'meter', thread: 'none' }],
  );
  assert.deepEqual(read(troupe, 'meter', 'a'), { counted: 2, asked: 1 });
  await add();
  await count(troupe, 'meter', 'a', 2);
  assert.equal(read(troupe, 'meter', 'a').counted, 4);
  assert.equal(metricsOf(troupe, 'meter').restarts, 0, 'nothing has failed');
});

test('a thread that was kept ready, and one of a supervisor that starts again, go on as well', async () => {
  const { module, heap } = actor('meter', 'meter');
  const fixed = supervisor('fixed', [actor('first', 'victim'), actor('meter', 'meter')], {
    strategy: 'rest_for_one',
  });
  await using troupe = new Troupe([fixed], {
    peers: ['first', 'meter'],
    spares: { count: 1, calmMs: 10, module, heap, loads: [] },
  });
  await troupe.system.started;
  await count(troupe, 'meter', 'a', 1);
  await until('a thread is ready', () => troupe.system.spareThreads === 1, 30_000);
  const ready = (troupe.node('meter')?.threadId ?? 0) + 1;
  troupe.system.kill('meter');
  await troupe.reaches('meter', 'running', 2);
  assert.equal(troupe.node('meter')?.threadId, ready);
  await count(troupe, 'meter', 'a', 1);
  troupe.system.kill('first');
  await troupe.reaches('meter', 'running', 3);
  await count(troupe, 'meter', 'a', 1);
  assert.deepEqual(read(troupe, 'meter', 'a'), { counted: 3, asked: 1 });
});
