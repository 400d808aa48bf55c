import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BatchReader } from '#troupe/log/batch.js';
import { LogError, type LogErrorCode, type QueueEntry } from '#troupe/log/log.js';
import {
  RemotingError,
  type BrokerQueue,
  type CreateTopicOptions,
} from '#troupe/log/rocketmq/remoting/client.js';
import { RocketMqLog, type Remoting } from '#troupe/log/rocketmq/rocketmq-log.js';

import { batchOf } from '../../conformance/log-batches.js';
import { fakeRemoting } from './fake-remoting.js';

const MIB = 1024 * 1024;

function queuesOf(...brokers: readonly [name: string, queues: number][]): BrokerQueue[] {
  return brokers.flatMap(([broker, queues]) =>
    Array.from({ length: queues }, (_, queueId) => ({ broker, queueId })),
  );
}

function logOf(parts: Partial<Remoting>): RocketMqLog {
  const client = fakeRemoting({ queues: () => Promise.resolve(queuesOf(['a', 1])), ...parts });
  return new RocketMqLog({ client, maxMessageBytes: MIB });
}

function entry(topic: string, ...values: readonly string[]): QueueEntry {
  return { topic, queue: 0, batch: batchOf(values) };
}

async function codeOf(promise: Promise<unknown>): Promise<LogErrorCode | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    assert.ok(error instanceof LogError, String(error));
    return error.code;
  }
}

test('each entry is sent when the one before was acknowledged: positions never precede their records', async () => {
  const steps: string[] = [];
  const log = logOf({
    sendBatch: async ({ topic }) => {
      steps.push(`send ${topic}`);
      await new Promise((resolve) => setImmediate(resolve));
      steps.push(`acknowledged ${topic}`);
      return 5;
    },
  });
  assert.deepEqual(await log.append({ entries: [entry('records', 'r'), entry('positions', 'p')] }), [5, 5]);
  assert.deepEqual(steps, [
    'send records',
    'acknowledged records',
    'send positions',
    'acknowledged positions',
  ]);
});

test('an append that fails before anything was taken says why; later the outcome is unknown, whatever failed', async () => {
  const sent: string[] = [];
  let refuse = 'records';
  const log = logOf({
    sendBatch: ({ topic }) => {
      if (topic === refuse) return Promise.reject(new LogError('LOG_FULL', 'the disk is full'));
      sent.push(topic);
      return Promise.resolve(0);
    },
  });
  const request = { entries: [entry('records', 'r'), entry('positions', 'p')] };
  assert.equal(await codeOf(log.append(request)), 'LOG_FULL');
  assert.deepEqual(sent, []);
  refuse = 'positions';
  assert.equal(await codeOf(log.append(request)), 'LOG_UNAVAILABLE');
  refuse = '';
  assert.deepEqual(await log.append(request), [0, 0]);
  assert.deepEqual(sent, ['records', 'records', 'positions']);
});

test('a batch above the limit of a request goes in several, in order', async () => {
  const counts: number[] = [];
  const log = logOf({
    sendBatch: ({ body, count }) => {
      assert.ok(body.length <= MIB);
      counts.push(count);
      return Promise.resolve(counts.length * 10);
    },
  });
  const values = Array.from({ length: 5 }, () => 'x'.repeat(400 * 1024));
  assert.deepEqual(await log.append({ entries: [entry('t', ...values)] }), [10]);
  assert.deepEqual(counts, [2, 2, 1]);
});

test('batches stay as they were, whatever became of the append', async () => {
  const log = logOf({ sendBatch: () => Promise.reject(new LogError('LOG_UNAVAILABLE', 'away')) });
  const again = entry('t', 'value');
  assert.equal(await codeOf(log.append({ entries: [again] })), 'LOG_UNAVAILABLE');
  assert.equal(BatchReader.open(again.batch.bytes).valueText(0), 'value');
});

test('queues are dealt to as many masters as can have equally many', async () => {
  for (const [queues, masters, expected] of [
    [1, 3, { queues: 1, brokers: 1 }],
    [4, 3, { queues: 2, brokers: 2 }],
    [6, 3, { queues: 2, brokers: 3 }],
    [5, 2, { queues: 5, brokers: 1 }],
    [2, 8, { queues: 1, brokers: 2 }],
  ] as const) {
    let created: CreateTopicOptions | null = null;
    const log = logOf({
      masters: () => Promise.resolve(Array.from({ length: masters }, (_, i) => `b${i}`)),
      queues: () => Promise.resolve(created === null ? null : queuesOf(['a', queues])),
      createTopic: (_topic, options) => {
        created = options;
        return Promise.resolve();
      },
    });
    await log.createTopic('t', { queues, retentionMs: null, retentionBytes: null });
    assert.deepEqual(created, expected);
  }
});

test('names that RocketMQ does not take are refused, with what it takes', async () => {
  const log = logOf({});
  const settings = { queues: 1, retentionMs: null, retentionBytes: null };
  for (const name of ['a.b', 'x'.repeat(128)])
    await assert.rejects(log.createTopic(name, settings), /cannot name a topic in RocketMQ: 1 to 127/);
});

test('a broker that is away takes no number from the queues of another', async () => {
  let now = queuesOf(['a', 2], ['b', 2]);
  const sentTo: BrokerQueue[] = [];
  const log = logOf({
    queues: () => Promise.resolve(now),
    registeredBrokers: () => Promise.resolve(now.map(({ broker }) => broker)),
    sendBatch: ({ queue }) => {
      sentTo.push(queue);
      return Promise.resolve(0);
    },
  });
  const append = (queue: number): Promise<unknown> =>
    log.append({ entries: [{ ...entry('t', 'x'), queue }] });
  await append(2);
  now = queuesOf(['a', 2]);
  await append(3);
  assert.deepEqual(sentTo, [
    { broker: 'b', queueId: 0 },
    { broker: 'b', queueId: 1 },
  ]);
  assert.equal((await log.describeTopic('t'))?.queues, 4);
  now = queuesOf(['a', 2], ['b', 2], ['c', 2]);
  assert.equal((await log.describeTopic('t'))?.queues, 6);
});

test('a topic that was made anew with fewer queues has fewer', async () => {
  let now: BrokerQueue[] | null = queuesOf(['a', 3]);
  const log = logOf({
    queues: () => Promise.resolve(now),
    registeredBrokers: () => Promise.resolve(['a']),
  });
  assert.equal((await log.describeTopic('t'))?.queues, 3);
  now = queuesOf(['a', 1]);
  assert.equal((await log.describeTopic('t'))?.queues, 1);
  now = null;
  assert.equal(await log.describeTopic('t'), null);
});

test('what the client itself appended is found, though the broker shows it a moment later', async () => {
  let asked = 0;
  const log = logOf({
    sendBatch: () => Promise.resolve(7),
    ensureGroup: () => Promise.resolve(),
    maxOffset: () => Promise.resolve((asked += 1) < 3 ? 7 : 8),
    pull: ({ offset }) =>
      Promise.resolve({
        status: 'NO_NEW',
        body: Buffer.alloc(0),
        nextOffset: offset,
        minOffset: 0,
        maxOffset: 8,
      }),
  });
  await log.append({ entries: [entry('t', 'x')] });
  const read = { topic: 't', queue: 0, offset: 8, maxBytes: 1, maxRecords: 1, waitMs: 0 };
  await log.read(read);
  assert.equal(asked, 3);
  await log.read(read);
  assert.equal(asked, 3);
});

test('a topic is deleted when the broker shows what the client itself appended', async () => {
  const steps: string[] = [];
  const log = logOf({
    sendBatch: () => Promise.resolve(7),
    maxOffset: () => {
      const end = steps.length < 2 ? 7 : 8;
      steps.push(`ends at ${end}`);
      return Promise.resolve(end);
    },
    deleteTopic: () => {
      steps.push('deleted');
      return Promise.resolve();
    },
  });
  await log.append({ entries: [entry('t', 'x')] });
  await log.deleteTopic('t');
  assert.deepEqual(steps, ['ends at 7', 'ends at 7', 'ends at 8', 'deleted']);
});

test('a broker that is behind is looked at once more when the time is over', async (t) => {
  let now = 0;
  t.mock.method(performance, 'now', () => now);
  let asked = 0;
  const log = logOf({
    sendBatch: () => Promise.resolve(7),
    maxOffset: () => {
      asked += 1;
      now += 60_000;
      return Promise.resolve(7);
    },
    topicStats: () =>
      Promise.resolve([{ queue: { broker: 'a', queueId: 0 }, minOffset: 0, maxOffset: 7, lastUpdate: 0 }]),
  });
  await log.append({ entries: [entry('t', 'x')] });
  await log.ranges('t');
  assert.equal(asked, 2);
});

test('a read is given up at once, whatever it waits for; so it is when the log is closed', async () => {
  const never = (): Promise<never> => new Promise(() => undefined);
  const read = { topic: 't', queue: 0, offset: 0, maxBytes: 1, maxRecords: 1, waitMs: 0 };
  for (const parts of [{ queues: never }, { ensureGroup: never }]) {
    const controller = new AbortController();
    const log = logOf(parts);
    const givenUp = assert.rejects(log.read({ ...read, signal: controller.signal }), /enough/);
    controller.abort(new Error('enough'));
    await givenUp;
    const closed = codeOf(log.read(read));
    await log.close();
    assert.equal(await closed, 'LOG_CLOSED');
  }
});

test('a group is made where a broker that came later does not have it', async () => {
  const has = new Set<string>();
  let made = 0;
  const missing = new RemotingError('LOG_BAD_REQUEST', 'no such group', { refused: true, responseCode: 26 });
  const onlyWith = <T>(group: string, value: T): Promise<T> =>
    has.has(group) ? Promise.resolve(value) : Promise.reject(missing);
  const log = logOf({
    ensureGroup: (name) => {
      made += 1;
      has.add(name);
      return Promise.resolve();
    },
    commitOffset: (group) => onlyWith(group, undefined),
    pull: ({ group, offset }) =>
      onlyWith(group, {
        status: 'NO_NEW',
        body: Buffer.alloc(0),
        nextOffset: offset,
        minOffset: 0,
        maxOffset: offset,
      }),
  });
  const read = { topic: 't', queue: 0, offset: 0, maxBytes: 1, maxRecords: 1, waitMs: 0 };
  for (const expected of [1, 2]) {
    has.clear();
    await log.commitOffsets('sink', [{ topic: 't', queue: 0, offset: 1 }]);
    await log.read(read);
    assert.equal(made, 2 * expected);
    await log.read(read);
    assert.equal(made, 2 * expected);
  }
});
