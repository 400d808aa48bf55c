import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SinkConnector, SinkTaskContext } from '#troupe/sdk/index.js';
import { SinkHarness } from '#troupe/sdk/testing/sink-harness.js';

const ignore = (): void => undefined;

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
