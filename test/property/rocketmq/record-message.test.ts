import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { BatchBuilder } from '#troupe/log/batch.js';
import { MAX_RECORD_MARK, MAX_WRITER_MARK, NO_MARK, type EncodedBatch } from '#troupe/log/log.js';
import { decodeMessages } from '#troupe/log/rocketmq/message.js';
import { RecordCollector } from '#troupe/log/rocketmq/record-collector.js';
import { toSendParts } from '#troupe/log/rocketmq/send-parts.js';

import { anyRecord, recordsOf, type PlainRecord } from '../../conformance/any-record.js';
import { storeBatch } from '../../support/stored-messages.js';

const NO_LIMITS = { maxBytes: Number.MAX_SAFE_INTEGER, maxRecords: Number.MAX_SAFE_INTEGER };

function sent(records: readonly PlainRecord[], maxBytes = 4 << 20): ReturnType<typeof toSendParts> {
  return toSendParts({ topic: 'topic', queue: 0, batch: batchOf(records) }, maxBytes);
}

function batchOf(records: readonly PlainRecord[]): EncodedBatch {
  const builder = new BatchBuilder();
  for (const { key, value, timestamp, headers } of records) builder.add(key, value, timestamp, headers);
  return builder.build();
}

test('any record survives the way into RocketMQ and back', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), (records) => {
      const collector = new RecordCollector(7, NO_LIMITS);
      for (const { body, bornTimestamp } of sent(records))
        collector.add(decodeMessages(storeBatch(body, bornTimestamp, 7)));
      const [stored, ...none] = collector.finish();
      assert.equal(none.length, 0);
      assert.equal(stored?.baseOffset, 7);
      assert.deepEqual(recordsOf(stored.batch), records);
    }),
    { numRuns: 500 },
  );
});

test('what a writer has marked is found again by that writer alone', () => {
  const writer = fc.integer({ min: 0, max: MAX_WRITER_MARK });
  const id = fc.oneof(fc.constant(NO_MARK), fc.integer({ min: 0, max: MAX_RECORD_MARK }));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyRecord, id), { minLength: 1, maxLength: 20 }),
      writer,
      writer,
      (marked, own, other) => {
        const batch = batchOf(marked.map(([record]) => record));
        const ids = marked.map(([, mark]) => mark);
        const parts = toSendParts({ topic: 't', queue: 0, batch, marks: { writer: own, ids } }, 4 << 20);
        const marksFor = (markedBy: number): readonly number[] | undefined => {
          const collector = new RecordCollector(7, { ...NO_LIMITS, markedBy });
          for (const { body, bornTimestamp } of parts)
            collector.add(decodeMessages(storeBatch(body, bornTimestamp, 7)));
          const [stored] = collector.finish();
          assert.ok(stored !== undefined);
          assert.deepEqual(
            recordsOf(stored.batch),
            marked.map(([record]) => record),
          );
          return stored.marks;
        };
        assert.deepEqual(marksFor(own), ids);
        if (other !== own)
          assert.deepEqual(
            marksFor(other),
            ids.map(() => NO_MARK),
          );
      },
    ),
    { numRuns: 300 },
  );
});

test('properties are what RocketMQ’s own reader takes apart alike: no empty names or values, each name once', () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      const [part] = sent([record]);
      const [message] = decodeMessages(storeBatch(part?.body ?? Buffer.alloc(0), 0));
      const pairs = (message?.properties ?? Buffer.alloc(0)).toString('utf8').split('\u0002').slice(0, -1);
      const names = pairs.map((pair) => pair.split('\u0001')[0]);
      for (const pair of pairs) assert.match(pair, /^[^\u0001]+\u0001[^\u0001]+$/);
      assert.equal(new Set(names).size, names.length, names.join(' '));
      assert.ok((message?.body.length ?? 0) > 0, 'RocketMQ’s clients take no empty bodies');
    }),
    { numRuns: 500 },
  );
});

test('whatever the limit of a request, no part is larger, none is empty, and all records are there in order', () => {
  fc.assert(
    fc.property(
      fc.array(anyRecord, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 800, max: 3000 }),
      (records, maxBytes) => {
        const parts = sent(records, maxBytes);
        const collector = new RecordCollector(0, NO_LIMITS);
        let offset = 0;
        for (const { body, count, bornTimestamp } of parts) {
          assert.ok(body.length <= maxBytes && count > 0);
          collector.add(decodeMessages(storeBatch(body, bornTimestamp, offset)));
          offset += count;
        }
        assert.deepEqual(
          collector.finish().flatMap(({ batch }) => recordsOf(batch)),
          records,
        );
      },
    ),
    { numRuns: 300 },
  );
});
