/** Positions and offsets that a user sets, in real nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { START_MS, type NodeProcess, type Reply } from '../../support/node-process.js';
import { SignalBench } from '../../support/signalled-plugin.js';
import { until } from '../../support/wait.js';

interface Shown {
  readonly offsets: readonly {
    readonly partition: Record<string, unknown>;
    readonly offset: Record<string, unknown>;
  }[];
}

async function offsetsOf(node: NodeProcess, name: string): Promise<Shown['offsets']> {
  const { status, body } = await node.request('GET', `/connectors/${name}/offsets`);
  assert.equal(status, 200, JSON.stringify(body));
  return (body as Shown).offsets;
}

const alter = (node: NodeProcess, name: string, offsets: unknown): Promise<Reply> =>
  node.request('PATCH', `/connectors/${name}/offsets`, { offsets });

/** Again for as long as it says that tasks are still there. */
async function altered(node: NodeProcess, name: string, offsets: unknown): Promise<void> {
  await until(
    `offsets of ${name} are altered`,
    async () => {
      const { status, body } = await alter(node, name, offsets);
      if (status === 200) return true;
      throw new Error(JSON.stringify(body));
    },
    START_MS,
  );
}

async function stop(node: NodeProcess, name: string): Promise<void> {
  assert.equal((await node.request('PUT', `/connectors/${name}/stop`)).status, 204);
}

test('a source goes on from what was set by hand, though its node is killed right after the answer', async (t) => {
  const bench = new SignalBench(t);
  bench.wants(['a']);
  const node = await bench.node();
  await node.run('c', bench.config());
  const data = [{ table: 'x' }, { table: 'y' }];
  await node.request('POST', '/connectors/c/signals', { type: 'make', to: 'tasks', data });
  await until('both are durable', async () => (await offsetsOf(node, 'c')).length === 2, START_MS);
  const x = { part: 'a', table: 'x' };
  const running = await alter(node, 'c', [{ partition: x, offset: null }]);
  assert.equal(running.status, 400);
  assert.match(
    JSON.stringify(running.body),
    /must be in the STOPPED state before their offsets can be modified/,
  );
  await stop(node, 'c');
  const forbidden = [
    { partition: x, offset: null },
    { partition: { schema: 'forbidden' }, offset: { at: 1 } },
  ];
  const refused = await until(
    'its tasks are gone',
    async () => {
      const reply = await alter(node, 'c', forbidden);
      return /CONNECTOR_NOT_STOPPED/.test(JSON.stringify(reply.body)) ? null : reply;
    },
    START_MS,
  );
  assert.equal(refused.status, 400);
  assert.match(
    JSON.stringify(refused.body),
    /POSITIONS_REFUSED.*|refuses these offsets: there is no schema forbidden/,
  );
  assert.equal((await offsetsOf(node, 'c')).length, 2, 'nothing of it was done');
  await altered(node, 'c', [
    { partition: { table: 'x', part: 'a' }, offset: null },
    { partition: { table: 'y', part: 'a' }, offset: { at: 77 } },
    { partition: { table: 'z', part: 'a' }, offset: { at: 0 } },
  ]);
  await node.kill();
  await node.start();
  const found = new Map(
    (await offsetsOf(node, 'c')).map(({ partition, offset }) => [partition['table'], offset['at']]),
  );
  assert.deepEqual([...found].sort(), [
    ['y', 77],
    ['z', 0],
  ]);
  await node.request('PUT', '/connectors/c/resume');
  await node.state('c', 'RUNNING');
  const told = await node.request('POST', '/connectors/c/signals', { type: 'positions', task: 0 });
  assert.match(JSON.stringify(told.body), /"position":\{"at":77\}/);
  await stop(node, 'c');
  await until(
    'its tasks are gone',
    async () => (await node.request('DELETE', '/connectors/c/offsets')).status === 200,
    START_MS,
  );
  assert.deepEqual(await offsetsOf(node, 'c'), []);
});

test('a sink reads again from the offset that was set, and from the beginning after a reset', async (t) => {
  const bench = new SignalBench(t);
  bench.wants(['a']);
  const node = await bench.node({ 'offset.flush.interval.ms': '200' });
  await node.run('c', bench.config());
  const data = [{ table: 'x' }, { table: 'y' }, { table: 'z' }];
  await node.request('POST', '/connectors/c/signals', { type: 'make', to: 'tasks', data });
  await node.run('s', { ...bench.config({ 'connector.class': 'SignalledSink' }), topics: 't', topic: '' });
  const taken = (): number =>
    bench.said('s/0').reduce((sum, word) => sum + (word.startsWith('put') ? Number(word.slice(3)) : 0), 0);
  await until('all have arrived', () => taken() === 3, START_MS);
  await stop(node, 's');
  const partition = { kafka_topic: 't', kafka_partition: 0 };
  await altered(node, 's', [{ partition, offset: { kafka_offset: 2 } }]);
  assert.deepEqual(await offsetsOf(node, 's'), [{ partition, offset: { kafka_offset: 2 } }]);
  for (const wrong of [
    { kafka_topic: 'nowhere', kafka_partition: 0 },
    { ...partition, kafka_partition: 99 },
  ])
    assert.equal((await alter(node, 's', [{ partition: wrong, offset: { kafka_offset: 0 } }])).status, 400);
  await node.request('PUT', '/connectors/s/resume');
  await until('the last has come again', () => taken() === 4, START_MS);
  await stop(node, 's');
  await until(
    'its tasks are gone',
    async () => (await node.request('DELETE', '/connectors/s/offsets')).status === 200,
    START_MS,
  );
  assert.deepEqual(await offsetsOf(node, 's'), []);
  await node.request('PUT', '/connectors/s/resume');
  await until('all have come again', () => taken() === 7, START_MS);
});
