import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { BatchReader } from '#troupe/log/batch.js';
import type { PopMessage } from '#troupe/log/rocketmq/grpc/pop-reply.js';
import { PopConsumer, type PopConsumerOptions } from '#troupe/log/rocketmq/grpc/shared-consumer.js';
import { until } from '../../support/wait.js';
import { queueOf, TOPIC } from './pop-queue.js';

const WAIT_MS = 20_000;

function messageOf(n: number, body: Buffer, isCompressed: boolean): PopMessage {
  return {
    messageId: String(n),
    receiptHandle: String(n),
    queueId: 0,
    queueOffset: n,
    deliveryAttempt: 1,
    keys: [],
    tag: '',
    isCompressed,
    bornTimestamp: 0,
    storeTimestamp: 0,
    properties: [],
    body,
  };
}

/** Of a proxy that has these messages. */
async function startConsumer(messages: readonly PopMessage[]) {
  const left = [...messages];
  const releases: string[] = [];
  const issues: string[] = [];
  const client: PopConsumerOptions['client'] = {
    brokers: () => Promise.resolve([queueOf('a')]),
    greeted: () => Promise.resolve(),
    pop: async (_queue, max) => {
      // Not at once, since the receiver would ask for ever where there is nothing.
      await new Promise((resolve) => setImmediate(resolve));
      return left.splice(0, max);
    },
    ack: () => Promise.resolve(new Set()),
    changeInvisible: (receipt) => {
      releases.push(receipt.messageId);
      return Promise.resolve(receipt);
    },
    close: () => Promise.resolve(),
  };
  const consumer = new PopConsumer({
    client,
    remoting: { queues: () => Promise.resolve([]), close: () => Promise.resolve() },
    prepare: () => Promise.resolve(),
    topics: [TOPIC],
    onIssue: (message) => issues.push(message),
  });
  await consumer.start();
  return { consumer, left, releases, issues };
}

test('records that are large once they are not compressed any more come in several batches, each once', async () => {
  const body = deflateSync(Buffer.alloc(70 * 1024, 'x'));
  const count = 600;
  const { consumer, left, releases, issues } = await startConsumer(
    Array.from({ length: count }, (_, n) => messageOf(n, body, true)),
  );
  const offsets: number[] = [];
  while (offsets.length < count) {
    const received = await consumer.receive(500, WAIT_MS);
    assert.ok(received);
    assert.equal(BatchReader.open(received.batch.bytes, true).count, received.deliveries.length);
    offsets.push(...received.deliveries.map(({ offset }) => offset));
    await until('all others wait here', () => left.length === 0);
  }
  assert.deepEqual(
    offsets,
    Array.from({ length: count }, (_, n) => n),
  );
  await consumer.close();
  assert.deepEqual(issues, []);
  assert.equal(releases.length, count);
});

test('a message that is larger than any record is given back, and holds up no other', async () => {
  const bomb = deflateSync(Buffer.alloc(32 * 1024 * 1024 - 10));
  const { consumer, releases, issues } = await startConsumer([
    messageOf(0, bomb, true),
    messageOf(1, Buffer.from('x'), false),
  ]);
  const received = await consumer.receive(500, WAIT_MS);
  assert.deepEqual(
    received?.deliveries.map(({ offset }) => offset),
    [1],
  );
  assert.deepEqual(releases, ['0']);
  assert.equal(issues.length, 1);
  await consumer.close();
});
