import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SinkConnector, SinkTaskContext } from '#troupe/sdk/index.js';
import { SinkHarness } from '#troupe/sdk/testing/sink-harness.js';
import { SourceHarness } from '#troupe/sdk/testing/source-harness.js';

const ignore = (): void => undefined;

/** A sink that only remembers. */
function recording(puts: unknown[][], onStart: (context: SinkTaskContext) => void): SinkConnector {
  return {
    kind: 'sink',
    version: '1.0.0',
    config: [],
    taskConfigs: (_context, _config, raw) => [raw],
    createTask: () => ({
      start: onStart,
      put: (records) => {
        puts.push(records.map(({ value }) => value));
      },
      flush: ignore,
      stop: ignore,
    }),
  };
}

test('a seek backwards holds for the next start as well, once anything was put from there', async (t) => {
  const puts: unknown[][] = [];
  let seekTo: number | null = null;
  const connector = recording(puts, (context) => {
    if (seekTo !== null) context.seek([{ topic: 'topic', queue: 0, offset: seekTo }]);
  });
  const harness = new SinkHarness(connector, {});
  t.after(() => harness.dispose());
  harness.append(0, ['a', 'b', 'c']);
  await harness.start();
  await harness.deliver();
  harness.commit(await harness.flush());
  harness.kill();
  seekTo = 1;
  await harness.start();
  await harness.deliver(1);
  harness.kill();
  seekTo = null;
  await harness.start();
  await harness.deliver();
  assert.deepEqual(puts, [['a', 'b', 'c'], ['b'], ['b', 'c']]);
});

test('a put that seeks back to its own first record gets its records again', async (t) => {
  const puts: unknown[][] = [];
  let context: SinkTaskContext | null = null;
  const connector: SinkConnector = {
    kind: 'sink',
    version: '1.0.0',
    config: [],
    taskConfigs: (_context, _config, raw) => [raw],
    createTask: () => ({
      start: (given) => {
        context = given;
      },
      put: (records) => {
        puts.push(records.map(({ value }) => value));
        if (puts.length === 1) context?.seek([{ topic: 'topic', queue: 0, offset: 0 }]);
      },
      flush: ignore,
      stop: ignore,
    }),
  };
  const harness = new SinkHarness(connector, {});
  t.after(() => harness.dispose());
  harness.append(0, ['a', 'b']);
  await harness.start();
  await harness.deliver();
  await harness.deliver();
  assert.deepEqual(puts, [
    ['a', 'b'],
    ['a', 'b'],
  ]);
});

test('what a sink counts, and what the tasks of a source count each, is there for tests, also after a kill', async (t) => {
  const help = 'Starts.';
  const sink = new SinkHarness(
    recording([], ({ metrics }) => {
      metrics
        .counter({ name: 'starts_total', help, labels: ['of'] })
        .with({ of: 'sink' })
        .add();
    }),
    {},
  );
  const source = new SourceHarness(
    {
      kind: 'source',
      version: '1.0.0',
      config: [],
      taskConfigs: () => [{}, {}],
      createTask: () => ({
        start: ({ metrics, taskId }) => {
          metrics.counter({ name: 'starts_total', help }).add(taskId + 1);
        },
        poll: () => [],
        stop: ignore,
      }),
    },
    {},
  );
  t.after(() => Promise.all([sink.dispose(), source.dispose()]));
  for (const harness of [sink, source]) {
    await harness.start();
    harness.kill();
    await harness.start();
  }
  assert.equal(sink.metrics.value('starts_total', { of: 'sink' }), 2);
  assert.deepEqual(
    [0, 1].map((task) => source.metricsOf(task).value('starts_total')),
    [2, 4],
  );
});
