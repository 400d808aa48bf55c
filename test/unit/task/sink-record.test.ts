import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sinkRecord } from '#troupe/actors/task/sink/sink-record.js';
import json from '#troupe/converters/json/converter.js';
import string from '#troupe/converters/string.js';
import { BatchBuilder, BatchReader } from '#troupe/log/batch.js';
import { DataError, parseConfigOrThrow, type Converter } from '#troupe/sdk/index.js';

const loaded = (plugin: Converter, raw: Record<string, string> = {}) => ({
  input: plugin.input,
  instance: plugin.create(parseConfigOrThrow(plugin.config, raw), { isKey: false }),
});

test('bytes that are no UTF-8 are not read as JSON with other characters in their place', () => {
  const builder = new BatchBuilder();
  const latin1 = Buffer.from('"café"', 'latin1');
  for (const value of ['"caf\ufffd"', latin1]) builder.add(null, value, 0);
  const data = BatchReader.open(builder.build().bytes);
  const keyConverter = loaded(string.plugin);
  const record = (converter: Converter, index: number, raw?: Record<string, string>) =>
    sinkRecord({ chain: null, keyConverter, valueConverter: loaded(converter, raw) }, 't', 0, 0, data, index)
      ?.value;

  const plain = { 'schemas.enable': 'false' };
  assert.equal(record(json.plugin, 0, plain), 'caf\ufffd');
  assert.throws(
    () => record(json.plugin, 1, plain),
    (error) => error instanceof DataError && error.code === 'BAD_JSON' && /no UTF-8/.test(error.message),
  );
  // As in Kafka Connect: it has no way to refuse.
  assert.equal(record(string.plugin, 1), '"caf\ufffd"');
});
