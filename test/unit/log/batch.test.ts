import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { BatchBuilder, BatchReader } from '#troupe/log/batch.js';
import type { RecordHeader } from '#troupe/log/batch.js';
import { LogError, MAX_BATCH_BYTES } from '#troupe/log/log.js';

interface RecordIn {
  key: Uint8Array | string | null;
  value: Uint8Array | string | null;
  timestamp: number;
  headers: RecordHeader[] | null;
}

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.constantFrom('', '\ud800', '\udc00', 'é', '\u0000', 'x'.repeat(70_000), 'ü'.repeat(40_000)),
);
const bytes = fc.uint8Array({ maxLength: 40 });
const part = fc.oneof({ weight: 4, arbitrary: text }, bytes, fc.constant(null));
const time = fc.oneof(
  fc.constant(1_700_000_000_000),
  fc.nat(5000).map((n) => 1_700_000_000_000 + n),
  fc.maxSafeInteger(),
);
const headers = fc.option(fc.array(fc.tuple(fc.string({ maxLength: 5 }), bytes), { maxLength: 3 }));
const record: fc.Arbitrary<RecordIn> = fc.record({ key: part, value: part, timestamp: time, headers });
/** Most batches are of one kind: those take the fast paths. */
const plain: fc.Arbitrary<RecordIn> = fc.record({
  key: fc.constant(null),
  value: fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
  timestamp: fc.constant(1_700_000_000_000),
  headers: fc.constant(null),
});

function asBytes(value: Uint8Array | string | null): Buffer | null {
  return value === null ? null : Buffer.from(value as Uint8Array);
}

function asText(value: Uint8Array | string | null): string | null {
  return asBytes(value)?.toString('utf8') ?? null;
}

function build(builder: BatchBuilder, records: readonly RecordIn[]): Uint8Array {
  for (const { key, value, timestamp, headers: given } of records) builder.add(key, value, timestamp, given);
  const batch = builder.build();
  assert.equal(batch.count, records.length);
  assert.equal(batch.bytes.byteLength, batch.bytes.buffer.byteLength, 'a batch must own its whole buffer');
  assert.equal(builder.byteSize, batch.bytes.byteLength);
  builder.reset();
  assert.equal(builder.count, 0);
  return batch.bytes;
}

test('whatever is packed is read again, in any order, by one builder after another', () => {
  const builder = new BatchBuilder();
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(record, { minLength: 1, maxLength: 12 }),
        fc.array(plain, { minLength: 1, maxLength: 600 }),
      ),
      fc.nat(),
      (records, seed) => {
        const reader = BatchReader.open(build(builder, records));
        assert.equal(reader.count, records.length);
        for (let step = 0; step < records.length; step++) {
          // In order, and from somewhere else in between.
          for (const i of [step, (step * 7 + seed) % records.length]) {
            const expected = records[i];
            assert.ok(expected !== undefined);
            assert.deepEqual(reader.value(i)?.length, asBytes(expected.value)?.length);
            assert.ok(Buffer.from(reader.value(i) ?? []).equals(asBytes(expected.value) ?? Buffer.alloc(0)));
            assert.equal(reader.valueText(i), asText(expected.value));
            assert.equal(reader.keyText(i), asText(expected.key));
            assert.equal(reader.key(i) === null, expected.key === null);
            assert.equal(reader.timestamp(i), expected.timestamp);
            const found = reader.headers(i).map(([name, value]) => [name, [...value]]);
            assert.deepEqual(
              found,
              (expected.headers ?? []).map(([name, value]) => [name, [...value]]),
            );
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a batch is read from the middle of a larger buffer as well', () => {
  const batch = build(new BatchBuilder(), [
    { key: 'k', value: 'vé', timestamp: 1, headers: [['h', Buffer.from('x')]] },
  ]);
  const larger = new Uint8Array(batch.length + 13);
  larger.set(batch, 7);
  const reader = BatchReader.open(larger.subarray(7, 7 + batch.length));
  assert.deepEqual([reader.keyText(0), reader.valueText(0), reader.headers(0)[0]?.[0]], ['k', 'vé', 'h']);
});

test('every changed, lost or added byte is noticed', () => {
  const batch = build(new BatchBuilder(), [
    { key: 'key', value: 'value', timestamp: 1, headers: [['h', Buffer.from('x')]] },
    { key: null, value: null, timestamp: 2, headers: null },
  ]);
  const corrupt = (bytes: Uint8Array): void =>
    assert.throws(
      () => BatchReader.open(bytes),
      (error) => error instanceof LogError && error.code === 'LOG_CORRUPT',
    );
  for (let at = 0; at < batch.length; at++) {
    const changed = Uint8Array.from(batch);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    corrupt(changed);
    corrupt(batch.subarray(0, at));
  }
  corrupt(Buffer.concat([batch, Buffer.alloc(1)]));
});

test('headers, keys and equal timestamps cost nothing where there are none', () => {
  const records = Array.from({ length: 100 }, () => ({
    key: null,
    value: 'x'.repeat(10),
    timestamp: 5,
    headers: null,
  }));
  assert.equal(build(new BatchBuilder(), records).length, 40 + 100 * (4 + 10));
});

test('what cannot be packed is refused with a code', () => {
  const refused = (call: () => unknown): void =>
    assert.throws(call, (error) => error instanceof LogError && error.code === 'LOG_BAD_REQUEST');
  refused(() => new BatchBuilder().build());
  refused(() => new BatchBuilder().add(null, 'x', 1.5));
  refused(() => new BatchBuilder().add(null, 'x', Number.NaN));
  const large = new BatchBuilder();
  large.add(null, 'x'.repeat(MAX_BATCH_BYTES), 1);
  refused(() => large.build());
});

test('a record that is refused leaves nothing behind in its batch', () => {
  const builder = new BatchBuilder();
  builder.add(null, 'first', 1);
  assert.throws(() => {
    builder.add('key', 'refused', 2, [['n'.repeat(70_000), new Uint8Array(1)]]);
  }, /header name/);
  builder.add('key', 'second', 3);
  const reader = BatchReader.open(builder.build().bytes);
  assert.deepEqual([reader.count, reader.valueText(0), reader.valueText(1)], [2, 'first', 'second']);
});

test('bytes are copied when they are added', () => {
  const value = Buffer.from('before');
  const builder = new BatchBuilder();
  builder.add(null, value, 1);
  value.write('behind');
  assert.equal(BatchReader.open(builder.build().bytes).valueText(0), 'before');
});

test('a text that cannot be decoded comes as its bytes, one that holds a replacement character of its own as text', () => {
  const builder = new BatchBuilder();
  const torn = Buffer.from([0x61, 0xff]);
  builder.add('k\ufffd', torn, 0, null);
  builder.add(torn, 'v\ufffd', 0, null);
  builder.add(null, null, 0, null);
  const reader = BatchReader.open(builder.build().bytes);
  const read = [0, 1, 2].map((i) => [reader.keyTextOrBytes(i), reader.valueTextOrBytes(i)]);
  const shown = read.map((pair) =>
    pair.map((part) => (part instanceof Uint8Array ? Buffer.from(part) : part)),
  );
  assert.deepEqual(shown, [
    ['k\ufffd', torn],
    [torn, 'v\ufffd'],
    [null, null],
  ]);
});
