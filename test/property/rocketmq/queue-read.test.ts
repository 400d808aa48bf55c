import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { LogError } from '#troupe/log/log.js';
import { readQueue } from '#troupe/log/rocketmq/queue-read.js';
import type { PullResult } from '#troupe/log/rocketmq/remoting/client.js';

import { textsOf } from '../../conformance/log-batches.js';
import { storedMessage } from '../../support/stored-messages.js';

interface FakeQueue {
  readonly start: number;
  readonly offsets: readonly number[];
  readonly end: number;
  /** How many messages the answers hold, in turn. */
  readonly answers: readonly number[];
}

/** A broker's queue: it may have gaps, and answers as much or as little as it likes. */
function pullFrom(queue: FakeQueue): (offset: number) => Promise<PullResult> {
  let turn = 0;
  return (offset) => {
    const bounds = { minOffset: queue.start, maxOffset: queue.end };
    const count = queue.answers[(turn += 1) % queue.answers.length] ?? 1;
    const found = queue.offsets.filter((each) => each >= offset).slice(0, count);
    if (offset < queue.start || offset > queue.end) {
      const nextOffset = offset < queue.start ? queue.start : queue.end;
      return Promise.resolve({ status: 'OFFSET_MOVED', body: Buffer.alloc(0), nextOffset, ...bounds });
    }
    if (found.length === 0) {
      const status = offset < queue.end ? 'OFFSET_MOVED' : 'NO_NEW';
      return Promise.resolve({ status, body: Buffer.alloc(0), nextOffset: queue.end, ...bounds });
    }
    const body = Buffer.concat(
      found.map((each) =>
        storedMessage({ queueOffset: each, body: Buffer.from(`${each}`), properties: Buffer.alloc(0) }),
      ),
    );
    return Promise.resolve({ status: 'FOUND', body, nextOffset: (found.at(-1) ?? 0) + 1, ...bounds });
  };
}

const anyQueue: fc.Arbitrary<FakeQueue> = fc
  .record({
    start: fc.nat(20),
    gaps: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 80 }),
    behind: fc.nat(2),
    answers: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
  })
  .map(({ start, gaps, behind, answers }) => {
    const offsets = gaps.map((_, i) => start + gaps.slice(0, i + 1).reduce((sum, gap) => sum + gap, 0) - 1);
    return { start, offsets, end: (offsets.at(-1) ?? start - 1) + 1 + behind, answers };
  });

test('read after read brings every record once and in order, however the broker cuts its answers', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyQueue,
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 40 }),
      async (queue, maxBytes, maxRecords) => {
        const pull = pullFrom(queue);
        const found: (string | null)[] = [];
        for (let offset = 0; offset < queue.end;) {
          const read = await readQueue({ queue: 'a queue', offset, waitMs: 0, maxBytes, maxRecords, pull });
          const texts = textsOf(read.batches);
          assert.ok(texts.length <= maxRecords);
          assert.ok(read.nextOffset > offset);
          for (const stored of read.batches) {
            const own = textsOf([stored]);
            assert.deepEqual(
              own,
              own.map((_, i) => String(stored.baseOffset + i)),
            );
          }
          found.push(...texts);
          offset = read.nextOffset;
        }
        assert.deepEqual(found, queue.offsets.map(String));
      },
    ),
    { numRuns: 500 },
  );
});

test('an offset beyond the end is refused, and a broker that does not send what it has is not asked for ever', async () => {
  const limits = { queue: 'topic "t", queue 0', waitMs: 0, maxBytes: 100, maxRecords: 10 };
  const pull = pullFrom({ start: 0, offsets: [0], end: 1, answers: [1] });
  const isCode = (code: string) => (error: unknown) => error instanceof LogError && error.code === code;
  await assert.rejects(readQueue({ ...limits, offset: 2, pull }), isCode('LOG_BAD_REQUEST'));
  const stuck = (offset: number): Promise<PullResult> =>
    Promise.resolve({
      status: 'OFFSET_MOVED',
      body: Buffer.alloc(0),
      nextOffset: offset,
      minOffset: 0,
      maxOffset: 9,
    });
  await assert.rejects(readQueue({ ...limits, offset: 3, pull: stuck }), isCode('LOG_UNAVAILABLE'));
});
