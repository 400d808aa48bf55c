import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { kafkaQueue, rocketmqQueue } from '#troupe/core/partitioning.js';
import { NodeProcess, removeFolder, temporaryFolder } from '../../support/node-process.js';
import { until } from '../../support/wait.js';

const QUEUES = 5;
const LINES = Array.from({ length: 200 }, (_, n) => ({ id: `k${n % 23}`, city: { code: n % 7 }, n }));

test('records arrive in the queues that the partitioner of their source says, in order', async (t) => {
  const dir = temporaryFolder();
  const node = await NodeProcess.create(dir);
  t.after(async () => {
    await node.kill();
    removeFolder(dir);
  });
  await node.start();
  writeFileSync(join(dir, 'in.txt'), LINES.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const expected: Record<string, (line: (typeof LINES)[number]) => number | null> = {
    kafka: ({ id }) => kafkaQueue(id, QUEUES),
    rocketmq: ({ id }) => rocketmqQueue(id, QUEUES),
    field: ({ city }) => kafkaQueue(String(city.code), QUEUES),
    'round-robin': () => null,
  };
  for (const by of Object.keys(expected)) {
    await node.run(`in-${by}`, {
      'connector.class': 'FileSourceConnector',
      file: join(dir, 'in.txt'),
      format: 'json',
      topic: by,
      'topic.creation.default.partitions': String(QUEUES),
      'topic.creation.default.replication.factor': '1',
      'value.converter': 'JsonConverter',
      'value.converter.schemas.enable': 'false',
      transforms: 'key,id',
      'transforms.key.type': 'ValueToKey',
      'transforms.key.fields': 'id',
      'transforms.id.type': 'ExtractField$Key',
      'transforms.id.field': 'id',
      partitioner: by,
      ...(by === 'field' && { 'partitioner.field': 'city.code' }),
    });
    await node.run(`out-${by}`, {
      'connector.class': 'FileSinkConnector',
      topics: by,
      file: join(dir, `${by}-{queue}.txt`),
      'value.converter': 'JsonConverter',
      'value.converter.schemas.enable': 'false',
    });
  }
  for (const [by, queueOf] of Object.entries(expected)) {
    const queues = new Map<number, typeof LINES>();
    await until(`all of ${by} is there`, () => {
      for (const file of readdirSync(dir)) {
        const queue = new RegExp(`^${by}-(\\d)\\.txt$`).exec(file)?.[1];
        if (queue === undefined) continue;
        const lines = readFileSync(join(dir, file), 'utf8').split('\n').filter(Boolean);
        queues.set(
          Number(queue),
          lines.map((line) => JSON.parse(line) as (typeof LINES)[number]),
        );
      }
      return [...queues.values()].flat().length >= LINES.length;
    });
    for (const [queue, lines] of queues) {
      const want = LINES.filter((line) => queueOf(line) === queue);
      if (by === 'round-robin') assert.equal(lines.length, LINES.length / QUEUES);
      else assert.deepEqual(lines, want, `${by}, queue ${queue}`);
    }
  }
  const bad = await node.request('PUT', '/connectors/bad/config', {
    'connector.class': 'FileSourceConnector',
    file: join(dir, 'in.txt'),
    topic: 't',
    partitioner: 'field',
  });
  assert.equal(bad.status, 400);
  assert.match(JSON.stringify(bad.body), /partitioner\.field.*is needed with partitioner=field/);
});
