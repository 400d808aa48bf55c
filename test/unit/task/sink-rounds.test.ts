/** A sink starts again on new topics: what its status said before is neither kept nor forgotten by that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import { startSink } from '#troupe/actors/task/sink/sink-task.js';
import { DataError, RetriableError } from '#troupe/sdk/errors.js';
import { batchOf } from '../../conformance/log-batches.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';
import { loadedSink, taskParts } from '../../support/task-parts.js';
import { until } from '../../support/wait.js';
import { DEFAULT_TOLERANCE } from '../../support/tolerance.js';

test('a sink that starts again for a new topic goes on counting what it skips, and lets go of what its first start waited for', async (t) => {
  const store = await openStore(t, { dir: newFolder(t) });
  const write = (topic: string, ...values: string[]): Promise<unknown> =>
    store.append({ entries: [{ topic, queue: 0, batch: batchOf(values) }] });
  for (const topic of ['offsets', 'orders-a']) await store.createTopic(topic, { queues: 1, ...KEPT });
  await write('orders-a', 'bad', 'good');

  const words: RebalancerProtocol['tell']['taskState'][] = [];
  const last = (): (typeof words)[number] | undefined => words.at(-1);
  const stop = new AbortController();
  const parts = taskParts({ unit: 'orders/0', log: store, stop, onState: (word) => void words.push(word) });
  let starts = 0;
  const sink = loadedSink(
    () => ({
      start: () => void (starts += 1),
      put: () => undefined,
      flush: () => {
        if (starts === 1) throw new RetriableError('busy');
      },
      stop: () => undefined,
    }),
    {
      topics: [],
      topicsRegex: /^orders-/,
      topicsRefreshMs: 20,
      offsetFlushIntervalMs: 10,
      tolerance: { ...DEFAULT_TOLERANCE, tolerance: 'all' },
      valueConverter: {
        input: 'text',
        instance: {
          fromConnectData: () => assert.fail('a sink does not write'),
          toConnectData: (_topic, value) => {
            if (value === 'bad') throw new DataError('bad');
            return { schema: null, value };
          },
        },
      },
    },
  );
  const { done } = await startSink(parts, sink);
  parts.report.running();
  try {
    await until('its flush is tried again', () => last()?.stalled?.call === 'flush');
    assert.equal(last()?.skipped, 1);

    // What it skipped before it was not committed: it comes again, and is skipped again.
    await store.createTopic('orders-b', { queues: 1, ...KEPT });
    await until('it has started again', () => starts === 2);
    await until('it waits for nothing', () => last()?.stalled === null);
    await until('it has skipped the record again', () => last()?.skipped === 2);
  } finally {
    stop.abort();
    await done;
    parts.calls.close();
  }
});
