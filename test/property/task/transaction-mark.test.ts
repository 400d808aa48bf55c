import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sinkRecord } from '#troupe/actors/sink-record.js';
import string from '#troupe/converters/string.js';
import { BatchBuilder, BatchReader, type RecordHeader } from '#troupe/log/batch.js';
import { escapedHeaders, readTransaction, transactionHeader } from '#troupe/log/transaction-mark.js';
import { parseConfigOrThrow, withValue, type RecordTransaction } from '#troupe/sdk/index.js';

const header = fc.tuple(
  fc.oneof(fc.constant('TROUPE_TX'), fc.string({ maxLength: 5 })),
  fc.oneof(
    fc.constantFrom('0a', '1a', '').map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 5 }),
  ),
);
const transaction = fc.option(
  fc.record(
    { id: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }), end: fc.boolean() },
    { noNullPrototype: true },
  ),
);

/** As the log gives back what was appended. */
function stored(own: readonly RecordHeader[], mark: RecordTransaction | null): BatchReader {
  const builder = new BatchBuilder();
  builder.add(null, 'v', 0, mark === null ? escapedHeaders(own) : [transactionHeader(mark), ...own]);
  return BatchReader.open(builder.build().bytes);
}

test('a record’s transaction and its own headers come back from the log, whatever their names', () => {
  fc.assert(
    fc.property(fc.array(header, { maxLength: 4 }), transaction, (own, mark) => {
      const read = readTransaction(stored(own, mark).headers(0));
      assert.deepEqual(read.transaction, mark);
      assert.deepEqual(
        read.headers.map(([name, value]) => [name, Buffer.from(value)]),
        own.map(([name, value]) => [name, Buffer.from(value)]),
      );
    }),
  );
});

const text = {
  input: string.plugin.input,
  instance: string.plugin.create(parseConfigOrThrow(string.plugin.config, {}), { isKey: false }),
};

test('a sink sees which transaction a record is part of, and not the header that says so, whatever a transform makes of it', () => {
  const mark = { id: 'tx 7', end: true };
  const data = stored([['own', Buffer.from('h')]], mark);
  const convert = (apply: ((record: object) => object) | null) =>
    sinkRecord(
      {
        // It returns what it was given, changed.
        chain: apply === null ? null : { apply: (record) => apply(record) as typeof record },
        keyConverter: text,
        valueConverter: text,
        headerConverter: text,
      },
      't',
      0,
      5,
      data,
      0,
    );
  for (const transform of [
    null,
    (record: object) => withValue(record as Parameters<typeof withValue>[0], null, 'changed'),
    (record: object) => ({ ...record, transaction: null }),
  ]) {
    const record = convert(transform);
    assert.deepEqual(record?.transaction, mark);
    assert.deepEqual(
      record.headers.map(({ key }) => key),
      ['own'],
    );
  }
});

test('a batch of a release without marks is read as it is', () => {
  const builder = new BatchBuilder();
  builder.add(null, 'a', 0);
  builder.add(null, 'b', 0, [['TROUPE_TX', Buffer.from('of somebody')]]);
  const data = BatchReader.open(builder.build().bytes);
  assert.deepEqual(readTransaction(data.headers(0)), { transaction: null, headers: [] });
  assert.equal(readTransaction(data.headers(1)).headers.length, 1);
});
