/** What comes and goes with a connector, on a node. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { contentOf, NodeProcess, removeFolder, temporaryFolder } from '../support/node-process.js';
import { until } from '../support/wait.js';

test('a source begins at the offsets it is created with, and at the beginning after they were dropped; its topics outlive the node', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir, { 'offset.flush.interval.ms': '200' });
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  const input = join(dir, 'in.txt');
  const output = join(dir, 'out.txt');
  writeFileSync(input, 'one\ntwo\nthree\n');
  await node.run('out', { 'connector.class': 'FileSinkConnector', topics: 'lines', file: output });
  const config = { 'connector.class': 'FileSourceConnector', file: input, topic: 'lines' };
  const written = (text: string): Promise<boolean> =>
    until(`the output is ${JSON.stringify(text)}`, () => {
      const content = contentOf(output)?.toString() ?? '';
      if (content === text) return true;
      throw new Error(content);
    });

  const refused = await node.request('POST', '/connectors', {
    name: 'in',
    config,
    initial_offsets: [{ partition: { colour: 'red' }, offset: { position: 4 } }],
  });
  assert.equal(refused.status, 400, JSON.stringify(refused.body));
  assert.equal((await node.request('GET', '/connectors/in')).status, 404);

  const created = await node.request('POST', '/connectors', {
    name: 'in',
    config,
    initial_offsets: [{ partition: { file: input }, offset: { position: 4 } }],
  });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  await written('two\nthree\n');

  const topics = { in: { topics: ['lines'] } };
  await until('the topic is noted', async () => {
    const { body } = await node.request('GET', '/connectors/in/topics');
    return JSON.stringify(body) === JSON.stringify(topics);
  });
  await node.stop();
  await node.start();
  assert.deepEqual((await node.request('GET', '/connectors/in/topics')).body, topics);

  await node.state('in', 'RUNNING');
  const dropped = await node.request('DELETE', '/connectors/in?offsets=drop');
  assert.equal(dropped.status, 204, JSON.stringify(dropped.body));
  await node.run('in', config);
  await written('two\nthree\none\ntwo\nthree\n');

  await node.request('PUT', '/connectors/out/stop');
  await until('the sink has no tasks', async () => {
    const { body } = await node.request('GET', '/connectors/out/status');
    return JSON.stringify(body).includes('"tasks":[]');
  });
  const partition = { kafka_topic: 'lines', kafka_partition: 0 };
  await until('its offsets are set back', async () => {
    const offsets = [{ partition, offset: { kafka_offset: 3 } }];
    const { status } = await node.request('PATCH', '/connectors/out/offsets', { offsets });
    return status === 200;
  });
  const behind = (await node.request('GET', '/connectors/out/offsets?lag=true')).body as {
    offsets: readonly { lag: { records: number; seconds: number } }[];
  };
  const lag = behind.offsets[0]?.lag;
  assert.ok(lag?.records === 2 && lag.seconds > 0, JSON.stringify(behind));
  assert.equal(
    (
      await node.request('PATCH', '/connectors/out/offsets', {
        offsets: [{ partition, offset: { kafka_offset: 5 } }],
      })
    ).status,
    200,
  );
  await node.request('PUT', '/connectors/out/resume');
  await node.state('out', 'RUNNING');

  const lines = await node.request('GET', '/topics/lines');
  assert.deepEqual(
    { ...(lines.body as object), retentionMs: 0, retentionBytes: 0 },
    {
      name: 'lines',
      internal: false,
      queues: [{ queue: 0, startOffset: 0, endOffset: 5 }],
      retentionMs: 0,
      retentionBytes: 0,
      connectors: ['out', 'in'],
    },
  );
  const inUse = await node.request('DELETE', '/topics/lines');
  assert.deepEqual([inUse.status, (inUse.body as { code: string }).code], [409, 'TOPIC_IN_USE']);
  assert.equal((await node.request('DELETE', '/topics/connector-config-topic')).status, 403);
  assert.equal((await node.request('DELETE', '/topics/none')).status, 404);

  assert.equal((await node.request('DELETE', '/connectors/in')).status, 204);
  await node.run('in', config);
  writeFileSync(input, 'four\n', { flag: 'a' });
  await written('two\nthree\none\ntwo\nthree\nfour\n');

  for (const name of ['in', 'out'])
    assert.equal((await node.request('DELETE', `/connectors/${name}`)).status, 204);
  assert.equal((await node.request('DELETE', '/topics/lines')).status, 204);
  const left = (await node.request('GET', '/topics')).body as readonly { internal: boolean }[];
  assert.deepEqual(
    left.filter(({ internal }) => !internal),
    [],
  );
});
