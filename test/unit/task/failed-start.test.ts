/** The log is full just when the plugin starts: its start is made again, in the same thread. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { StartedTask, TaskParts } from '#troupe/actors/task/parts.js';
import { startSharedSink } from '#troupe/actors/task/shared-sink/shared-sink-task.js';
import { startSink } from '#troupe/actors/task/sink/sink-task.js';
import { startSource } from '#troupe/actors/task/source/source-task.js';
import { startOrWait } from '#troupe/actors/task/wait-for-log.js';
import { LogError } from '#troupe/log/log.js';
import type { SharedConsumer } from '#troupe/log/shared.js';
import { KEPT, newFolder, openStore } from '../../fault/log/support.js';
import { loadedSink, loadedSource, taskParts } from '../../support/task-parts.js';
import { until } from '../../support/wait.js';

/** Its first instance fails in its start, when it may have opened something. */
function plugin(acts: string[]) {
  let instances = 0;
  return () => {
    instances += 1;
    const name = instances;
    return {
      start: async () => {
        acts.push(`start ${name}`);
        await Promise.resolve();
        if (name === 1) throw new LogError('LOG_FULL', 'the disk is full');
      },
      stop: () => void acts.push(`stop ${name}`),
      poll: () => [],
      put: () => undefined,
      flush: () => undefined,
    };
  };
}

async function acts(
  t: TestContext,
  start: (parts: TaskParts, createTask: ReturnType<typeof plugin>, acts: string[]) => Promise<StartedTask>,
): Promise<readonly string[]> {
  const store = await openStore(t, { dir: newFolder(t) });
  for (const topic of ['numbers', 'positions', 'offsets'])
    await store.createTopic(topic, { queues: 1, ...KEPT });
  const stop = new AbortController();
  const parts = taskParts({ unit: 'numbers/0', log: store, stop });
  const did: string[] = [];
  const createTask = plugin(did);
  const { done } = await startOrWait(parts, () => start(parts, createTask, did));
  await until('it has started again', () => did.includes('start 2'));
  stop.abort();
  await done;
  parts.calls.close();
  return did;
}

const EXPECTED = ['start 1', 'stop 1', 'start 2', 'stop 2'];

test('a source whose start has failed for a full log is stopped before another is started', async (t) => {
  assert.deepEqual(
    await acts(t, (parts, createTask) => startSource(parts, loadedSource(createTask))),
    EXPECTED,
  );
});

test('a sink whose start has failed for a full log is stopped before another is started', async (t) => {
  assert.deepEqual(await acts(t, (parts, createTask) => startSink(parts, loadedSink(createTask))), EXPECTED);
});

test('a shared sink whose start has failed for a full log is stopped, and leaves its group, before another is started', async (t) => {
  const did = await acts(t, (parts, createTask, did) => {
    const consumer: SharedConsumer = {
      receive: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return null;
      },
      ack: () => Promise.resolve(0),
      release: () => Promise.resolve(),
      suspend: () => Promise.resolve(),
      close: async () => void did.push('leave'),
    };
    return startSharedSink(parts, loadedSink(createTask), () => Promise.resolve(consumer));
  });
  assert.deepEqual(did, ['start 1', 'stop 1', 'leave', 'start 2', 'leave', 'stop 2']);
});
