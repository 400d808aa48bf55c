import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sinkRecord, type SinkConversion } from '#troupe/actors/sink-record.js';
import bytes from '#troupe/converters/byte-array.js';
import json from '#troupe/converters/json/converter.js';
import string from '#troupe/converters/string.js';
import { BatchBuilder, BatchReader } from '#troupe/log/batch.js';
import {
  DataError,
  parseConfigOrThrow,
  withValue,
  type Converter,
  type SinkRecord,
} from '#troupe/sdk/index.js';

const loaded = (plugin: Converter, raw: Record<string, string> = {}) => ({
  input: plugin.input,
  instance: plugin.create(parseConfigOrThrow(plugin.config, raw), { isKey: false }),
});

const conversion = (
  chain: SinkConversion['chain'],
  valueConverter: SinkConversion['valueConverter'],
): SinkConversion => ({
  chain,
  keyConverter: loaded(string.plugin),
  valueConverter,
  headerConverter: loaded(string.plugin),
});

test('bytes that are no UTF-8 are not read as JSON with other characters in their place', () => {
  const builder = new BatchBuilder();
  const latin1 = Buffer.from('"café"', 'latin1');
  for (const value of ['"caf\ufffd"', latin1]) builder.add(null, value, 0);
  const data = BatchReader.open(builder.build().bytes);
  const record = (converter: Converter, index: number, raw?: Record<string, string>) =>
    sinkRecord(conversion(null, loaded(converter, raw)), 't', 0, 0, data, index)?.value;

  const plain = { 'schemas.enable': 'false' };
  assert.equal(record(json.plugin, 0, plain), 'caf\ufffd');
  assert.throws(
    () => record(json.plugin, 1, plain),
    (error) => error instanceof DataError && error.code === 'BAD_JSON' && /no UTF-8/.test(error.message),
  );
  // As in Kafka Connect: it has no way to refuse.
  assert.equal(record(string.plugin, 1), '"caf\ufffd"');
});

test('a record without a value in the log is a tombstone whatever becomes of its value, and any other null is none', () => {
  const builder = new BatchBuilder();
  const schema = '{"schema":{"type":"string","optional":true},"payload":null}';
  for (const value of [null, 'null', schema, '']) builder.add(null, value, 0);
  const data = BatchReader.open(builder.build().bytes);
  const said = (converter: Converter, raw: Record<string, string>, chain: SinkConversion['chain'] = null) =>
    [0, 1, 2, 3].map((index) => {
      try {
        const record = sinkRecord(conversion(chain, loaded(converter, raw)), 't', 0, 0, data, index);
        return [record?.value === null, record?.tombstone];
      } catch (error) {
        assert.ok(error instanceof DataError);
        return 'bad';
      }
    });
  const gone = [true, true];
  const isNull = [true, false];
  const hasValue = [false, false];
  assert.deepEqual(said(json.plugin, { 'schemas.enable': 'false' }), [gone, isNull, hasValue, isNull]);
  assert.deepEqual(said(json.plugin, {}), [gone, 'bad', isNull, 'bad']);
  for (const { plugin } of [string, bytes])
    assert.deepEqual(said(plugin, {}), [gone, hasValue, hasValue, hasValue]);

  const chainOf = (apply: (record: SinkRecord) => object): SinkConversion['chain'] => ({
    // What a plugin in JavaScript gives back.
    apply: (record) => apply(record as unknown as SinkRecord) as typeof record,
  });
  const nulled = chainOf((record) => withValue(record, null, null));
  assert.deepEqual(said(string.plugin, {}, nulled), [gone, isNull, isNull, isNull]);
  const filled = chainOf((record) => withValue(record, null, 'deleted'));
  assert.deepEqual(said(string.plugin, {}, filled), [[false, true], hasValue, hasValue, hasValue]);
  const anew = chainOf(({ topic, queue }) => ({ topic, queue, value: null, tombstone: true }));
  assert.deepEqual(said(string.plugin, {}, anew), [gone, isNull, isNull, isNull]);
});
