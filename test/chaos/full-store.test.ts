import { join } from 'node:path';
import test from 'node:test';
import { EmbeddedStore } from '#troupe/log/embedded/store.js';
import { batchOf } from '../conformance/log-batches.js';
import { HeldBackFlow } from '../support/held-back.js';
import { random } from '../support/random.js';
import { letPass, until } from '../support/wait.js';

const MIB = 1 << 20;

test('a store that is full holds the source back, also over kills, and every line passes once there is room', async (t) => {
  const { seed, next } = random();
  t.diagnostic(`seed ${seed}`);
  let text = '';
  for (let i = 0; text.length < 48 * MIB; i += 1) text += `${i} ${'z'.repeat(next(300))}\n`;
  // A third of what has to pass.
  const flow = await HeldBackFlow.start(t, text, { 'store.max.bytes': String(16 * MIB) });
  const { node } = flow;
  await node.kill();
  await node.start();
  // REST writes go on while it is full.
  await flow.ask('PUT', '/connectors/out/resume', 202);
  for (let kill = 0; kill < 3; kill += 1) {
    await letPass(next(1500));
    await node.kill();
    await node.start();
  }
  await flow.everythingArrived();
});

test('a node whose own topics outgrow a full store stays steerable, and recovers by itself', async (t) => {
  const text = Array.from({ length: 24 * 1024 }, (_, i) => `${i} ${'z'.repeat(1000)}\n`).join('');
  const flow = await HeldBackFlow.start(t, text, {
    'store.max.bytes': String(16 * MIB),
    'heartbeat.interval.ms': '200',
  });
  const { node, source } = flow;

  // As heartbeats and statuses of tasks that crash in a loop would, in a long night.
  const store = await EmbeddedStore.open({ dir: join(node.dir, 'store', 'log'), retentionCheckMs: 0 });
  t.after(() => store.close());
  const grow = async (topic: string, bytes: number): Promise<void> => {
    for (let left = bytes; left > 0; left -= MIB / 2)
      await store.append({ entries: [{ topic, queue: 0, batch: batchOf(['x'.repeat(MIB / 2)]) }] });
  };
  for (const topic of ['connector-cluster-topic', 'connector-config-topic', 'connector-offset-topic'])
    await grow(topic, 2 * MIB);
  const beats = async (): Promise<number> =>
    (await store.ranges('connector-cluster-topic'))[0]?.endOffset ?? 0;
  const before = await beats();
  await until('its heartbeats go on', async () => (await beats()) > before + 10);
  for (let i = 0; i < 3; i += 1) await flow.ask('POST', '/connectors/in/restart?includeTasks=true', 202);
  await flow.ask('PUT', '/connectors/in/pause', 202);
  await flow.ask('PUT', '/connectors/in/resume', 202);
  await flow.ask('POST', '/connectors', 201, { name: 'late', config: { ...source, topic: 'other' } });
  await flow.ask('DELETE', '/connectors/late', 204);
  // What takes much of a topic of its own makes a snapshot due, and that lets it go, full as the log is.
  await grow('connector-cluster-topic', 24 * MIB);
  await until('its own topic is trimmed', async () => {
    const [range] = await store.ranges('connector-cluster-topic');
    return (range?.startOffset ?? 0) > before;
  });
  await flow.ask('PUT', '/connectors/out/resume', 202);
  await flow.everythingArrived();
});
