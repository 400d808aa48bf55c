/** Shared groups (POP) against a real RocketMQ. What comes again takes it seconds to find, so these tests are slow. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { BatchBuilder, BatchReader } from '#troupe/log/batch.js';
import type { Log } from '#troupe/log/log.js';
import { remotingClient } from '#troupe/log/rocketmq/client.js';
import { openSharedConsumer, type SharedConsumerOptions } from '#troupe/log/rocketmq/grpc/shared-consumer.js';
import { BatchBody } from '#troupe/log/rocketmq/message.js';
import type { Delivery, SharedBatch, SharedConsumer } from '#troupe/log/shared.js';
import { anyRecord, type PlainRecord } from '../../conformance/any-record.js';
import { plain, text, values } from '../../support/shared-batches.js';
import { requireService, rocketmqAvailable, startRocketMq, type RocketMq } from '../../support/rocketmq.js';
import { openTestLog, rocketmqSettings } from '../../support/rocketmq-log.js';
import { until } from '../../support/wait.js';

/** The shortest that the proxy takes. */
const INVISIBLE_MS = 10_000;
/** RocketMQ looks for what nobody acknowledged each few seconds. */
const AGAIN_MS = 90_000;

describe('a shared group', { skip: requireService(rocketmqAvailable()) }, () => {
  let rocketmq: RocketMq;
  let log: Log;
  const members: SharedConsumer[] = [];
  let topics = 0;

  before(async () => {
    rocketmq = await startRocketMq({
      version: process.env['ROCKETMQ_VERSION'],
      // Else it hands out what is still in memory to new groups, too.
      brokerSettings: { initPopOffsetByCheckMsgInMem: false },
    });
    log = openTestLog(rocketmqSettings(rocketmq));
  });

  after(async () => {
    await Promise.all(members.map((member) => member.close()));
    await log.close();
    await rocketmq.stop();
  });

  async function createTopic(queues = 1): Promise<string> {
    const name = `shared-${(topics += 1)}`;
    await log.createTopic(name, { queues, retentionMs: null, retentionBytes: null });
    return name;
  }

  function options(topic: string, more: Partial<SharedConsumerOptions> = {}): SharedConsumerOptions {
    return {
      settings: rocketmqSettings(rocketmq),
      group: `group of ${topic}`,
      topics: [topic],
      maxAttempts: 16,
      invisibleMs: INVISIBLE_MS,
      ...more,
    };
  }

  async function join(topic: string, more: Partial<SharedConsumerOptions> = {}): Promise<SharedConsumer> {
    const member = await openSharedConsumer(options(topic, more));
    members.push(member);
    return member;
  }

  async function append(topic: string, queue: number, values: readonly string[]): Promise<void> {
    const builder = new BatchBuilder();
    for (const value of values) builder.add(null, value, Date.now());
    await log.append({ entries: [{ topic, queue, batch: builder.build() }] });
  }

  test('records arrive as they were appended, but for the order of headers with different names', async (t) => {
    const topic = await createTopic();
    const seed = Date.now() % 0x7fffffff;
    t.diagnostic(`seed ${seed}`);
    const [first, ...others] = fc.sample(anyRecord, { seed, numRuns: 300 });
    assert.ok(first !== undefined);
    // The first one's time is that of the request. The proxy hands out nothing with one beyond the year 9999.
    const records = [{ ...first, timestamp: Number.MAX_SAFE_INTEGER }, ...others];
    const builder = new BatchBuilder();
    for (const { key, value, timestamp, headers } of records) builder.add(key, value, timestamp, headers);
    await log.append({ entries: [{ topic, queue: 0, batch: builder.build() }] });
    const member = await join(topic);
    const received: PlainRecord[] = [];
    await until('all have arrived', async () => {
      const batch = await member.receive(100, 1000);
      if (batch !== null) received.push(...plain(batch));
      return received.length >= records.length;
    });
    assert.deepEqual(received.map(text).sort(), records.map(text).sort());
  });

  test('what another client has compressed is read', async () => {
    const topic = await createTopic();
    const client = remotingClient(rocketmqSettings(rocketmq), () => undefined);
    const body = new BatchBody(1000, 100);
    body.add(deflateSync('compressed'), Buffer.alloc(0));
    const [queue] = (await client.queues(topic)) ?? [];
    assert.ok(queue !== undefined);
    await client.sendBatch({ topic, queue, body: body.bytes(), count: 1, sysFlag: 1 });
    await client.close();
    const member = await join(topic);
    assert.deepEqual(values(await next(member)), ['compressed']);
  });

  test('a new group begins with the oldest record, and a member that comes later goes on with the rest', async () => {
    const topic = await createTopic(2);
    await append(topic, 0, ['a', 'b']);
    await append(topic, 1, ['c']);
    const first = await join(topic);
    const got = new Set<string>();
    let unacknowledged = 0;
    await until('the old records have arrived', async () => {
      const batch = await first.receive(10, 1000);
      unacknowledged += await first.ack(batch?.deliveries ?? []);
      for (const value of values(batch)) got.add(value);
      return got.size === 3;
    });
    assert.equal(unacknowledged, 0);
    await first.close();
    await append(topic, 0, ['d']);
    assert.deepEqual(values(await next(await join(topic))), ['d']);
  });

  test('a group that has offsets goes on from them', async () => {
    const topic = await createTopic();
    await append(topic, 0, ['a', 'b', 'c']);
    await log.commitOffsets(`group of ${topic}`, [{ topic, queue: 0, offset: 2 }]);
    assert.deepEqual(values(await next(await join(topic))), ['c']);
  });

  test('what a member held when it died comes to another one', async () => {
    const topic = await createTopic();
    await append(topic, 0, ['a', 'b', 'c']);
    const thread = new Worker(new URL('./fixtures/holding-member.js', import.meta.url), {
      workerData: options(topic),
    });
    const [taken] = (await once(thread, 'message')) as unknown[];
    assert.equal(taken, 3);
    await thread.terminate();
    const got: SharedBatch[] = [];
    const heir = await join(topic);
    await until(
      'the records have come again',
      async () => {
        const batch = await heir.receive(10, 1000);
        if (batch !== null) got.push(batch);
        return got.flatMap(values).length >= 3;
      },
      AGAIN_MS,
    );
    assert.deepEqual(got.flatMap(values).sort(), ['a', 'b', 'c']);
    for (const { deliveries } of got) for (const { attempt } of deliveries) assert.equal(attempt, 2);
  });

  test('what a member holds for longer than its time stays its own, and can be acknowledged then', async () => {
    const topic = await createTopic();
    await append(topic, 0, ['slow']);
    const holder = await join(topic);
    const held = await next(holder);
    const other = await join(topic);
    const heldUntil = performance.now() + 3 * INVISIBLE_MS;
    const strayed: string[] = [];
    await until(
      'three times its time is over',
      async () => {
        strayed.push(...values(await other.receive(10, 1000)));
        return performance.now() > heldUntil;
      },
      AGAIN_MS,
    );
    assert.deepEqual(strayed, []);
    assert.equal(await holder.ack(held.deliveries), 0);
    await holder.close();
    // Given back by now, if it were still there to be given.
    await append(topic, 0, ['next']);
    assert.deepEqual(values(await next(other)), ['next']);
  });

  test('what is given back comes again, and after the last attempt goes to the dead letters', async (t) => {
    const topic = await createTopic();
    const member = await join(topic, { maxAttempts: 2 });
    await append(topic, 0, ['bad', 'good']);
    const attempts: number[] = [];
    let unacknowledged = 0;
    const from = performance.now();
    const deadLetters = `%DLQ%group%20of%20${topic}`;
    const found = await until(
      'the dead letter is there',
      async () => {
        const batch = await member.receive(10, 1000);
        for (const [i, value] of values(batch).entries()) {
          const delivery = batch?.deliveries[i];
          assert.ok(delivery !== undefined);
          if (value === 'good') unacknowledged += await member.ack([delivery]);
          else {
            attempts.push(delivery.attempt);
            await member.release([delivery], 1000);
          }
        }
        return attempts.length < 2 ? null : await readOne(deadLetters);
      },
      AGAIN_MS,
    );
    t.diagnostic(`dead letter after ${Math.round(performance.now() - from)} ms`);
    assert.equal(unacknowledged, 0);
    assert.deepEqual(attempts, [1, 2]);
    assert.equal(found, 'bad');
  });

  test('what was received but never asked for is given back at the end', async () => {
    const topic = await createTopic();
    await append(
      topic,
      0,
      Array.from({ length: 50 }, (_, i) => String(i)),
    );
    const first = await join(topic);
    assert.equal((await next(first, 1)).deliveries.length, 1);
    await first.close();
    const second = await join(topic);
    const got = new Set<string>();
    await until(
      'all have come',
      async () => {
        for (const value of values(await second.receive(100, 1000))) got.add(value);
        return got.size === 50;
      },
      AGAIN_MS,
    );
  });

  test('members share the records of one queue, each of which comes once; and go on when RocketMQ was away', async (t) => {
    const topic = await createTopic();
    const count = 20_000;
    const issues: unknown[] = [];
    const onIssue = (message: string, error: unknown): number => issues.push(message, error);
    // Longer, so that nothing expires while everything is down.
    const long = { invisibleMs: 120_000, onIssue };
    const both = [await join(topic, long), await join(topic, long)];
    for (let at = 0; at < count; at += 1000)
      await append(
        topic,
        0,
        Array.from({ length: 1000 }, (_, i) => `${at + i} ${'.'.repeat(180)}`),
      );
    const from = performance.now();
    const seen: string[] = [];
    const shares = both.map(() => 0);
    const work = async (member: SharedConsumer, i: number): Promise<void> => {
      const held: Delivery[] = [];
      while (seen.length < count) {
        const batch = await member.receive(500, 200);
        seen.push(...values(batch));
        held.push(...(batch?.deliveries ?? []));
        shares[i] = held.length;
      }
      assert.equal(await member.ack(held), 0);
    };
    await Promise.all(both.map((member, i) => work(member, i)));
    const rate = Math.round((count / (performance.now() - from)) * 1000);
    t.diagnostic(`${rate} records/s for two members in one thread`);
    assert.equal(new Set(seen).size, count);
    assert.equal(seen.length, count);
    assert.ok(shares.every((share) => share > 0));

    await rocketmq.stopBroker();
    await until('it is noticed', async () => {
      await both[0]?.receive(1, 100);
      return issues.length > 0;
    });
    await rocketmq.startBroker();
    await append(topic, 0, ['after']);
    await until(
      'the new record arrives',
      async () => {
        for (const member of both) seen.push(...values(await member.receive(10, 200)));
        return seen.includes('after');
      },
      AGAIN_MS,
    );
  });

  async function readOne(topic: string): Promise<string | null> {
    if ((await log.describeTopic(topic)) === null) return null;
    const read = await log.read({ topic, queue: 0, offset: 0, maxBytes: 1000, maxRecords: 1, waitMs: 0 });
    const [stored] = read.batches;
    return stored === undefined ? null : BatchReader.open(stored.batch.bytes).valueText(0);
  }
});

async function next(member: SharedConsumer, max = 100): Promise<SharedBatch> {
  return until('a record arrives', () => member.receive(max, 1000), AGAIN_MS);
}
