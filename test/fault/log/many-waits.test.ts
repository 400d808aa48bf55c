/** More reads that wait for records than the channel to the log takes messages. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { LogClient } from '#troupe/actors/log/client.js';
import { WINDOW } from '#troupe/actors/kernel/channel.js';
import { BatchReader } from '#troupe/log/batch.js';
import { LogError } from '#troupe/log/log.js';
import { batchOf } from '../../conformance/log-batches.js';
import { startLogThread } from '../../conformance/log-thread.js';
import { until } from '../../support/wait.js';
import { KEPT, newFolder } from './support.js';

const QUEUES = WINDOW;

interface Reading {
  readonly client: LogClient;
  readonly writer: LogClient;
  /** Values by queue, in the order they were read. */
  readonly read: readonly string[][];
  readonly errors: unknown[];
  readonly end: AbortController;
}

/** A client that waits for records of every queue at once, as a sink with one task does. */
async function readAll(t: TestContext): Promise<Reading> {
  const thread = await startLogThread({ dir: newFolder(t) });
  t.after(() => thread.stop());
  const writer = thread.client();
  await writer.createTopic('t', { queues: QUEUES, ...KEPT });
  const client = thread.client();
  const end = new AbortController();
  const errors: unknown[] = [];
  const read = Array.from({ length: QUEUES }, (): string[] => []);
  const follow = async (queue: number): Promise<void> => {
    for (let offset = 0; !end.signal.aborted;) {
      const request = { topic: 't', queue, offset, maxBytes: 1000, maxRecords: 1000, waitMs: 60_000 };
      const { batches, nextOffset } = await client.read({ ...request, signal: end.signal });
      for (const { batch } of batches) {
        const reader = BatchReader.open(batch.bytes);
        for (let i = 0; i < reader.count; i += 1) read[queue]?.push(reader.valueText(i) ?? '');
      }
      offset = nextOffset;
    }
  };
  for (let queue = 0; queue < QUEUES; queue += 1)
    follow(queue).catch((error: unknown) => {
      if (!end.signal.aborted) errors.push(error);
    });
  t.after(() => {
    end.abort();
  });
  return { client, writer, read, errors, end };
}

test('as many reads as the channel takes messages wait, and commits get through; each record is read once, in order', async (t) => {
  const { client, writer, read, errors } = await readAll(t);
  for (let round = 0; round < 3; round += 1) {
    await client.commitOffsets('g', [{ topic: 't', queue: 0, offset: round }]);
    for (let queue = round; queue < QUEUES; queue += 7)
      await writer.append({ entries: [{ topic: 't', queue, batch: batchOf([`${round}`]) }] });
    await until(
      'all were read',
      () =>
        read.flat().length === count(round) ||
        Promise.reject(new Error(`${read.flat().length} ${String(errors[0])}`)),
    );
  }
  // One queue that is quiet among the others.
  for (let i = 0; i < 20; i += 1) {
    await writer.append({ entries: [{ topic: 't', queue: QUEUES - 1, batch: batchOf([`quiet ${i}`]) }] });
    await until(`record ${i} was read`, () => read[QUEUES - 1]?.at(-1) === `quiet ${i}`);
  }
  const quiet = Array.from({ length: 20 }, (_, i) => `quiet ${i}`);
  assert.deepEqual(read[QUEUES - 1]?.slice(-20), quiet);
  assert.deepEqual(errors, []);
});

/** Records of the rounds up to this one. */
function count(round: number): number {
  let records = 0;
  for (let each = 0; each <= round; each += 1) records += Math.ceil((QUEUES - each) / 7);
  return records;
}

test('of reads that wait together all are told when their topic is deleted', async (t) => {
  const { client, writer, errors, end } = await readAll(t);
  // After the reads, so that most of them wait by now.
  await client.commitOffsets('g', [{ topic: 't', queue: 0, offset: 0 }]);
  await writer.deleteTopic('t');
  await until(
    'all have failed',
    () => errors.length === QUEUES || Promise.reject(new Error(`${errors.length}`)),
  );
  assert.ok(errors.every((error) => error instanceof LogError && error.code === 'LOG_UNKNOWN_TOPIC'));
  end.abort();
});
