import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeHeaders, headerEncoder } from '#troupe/actors/record-headers.js';
import bytes from '#troupe/converters/byte-array.js';
import json from '#troupe/converters/json/converter.js';
import { Long } from '#troupe/converters/numbers.js';
import simpleHeader from '#troupe/converters/simple-header.js';
import string from '#troupe/converters/string.js';
import {
  DataError,
  INT64_SCHEMA,
  parseConfigOrThrow,
  STRING_SCHEMA,
  type Converter,
  type Header,
} from '#troupe/sdk/index.js';

const loaded = (plugin: Converter, raw: Record<string, string> = {}) => ({
  input: plugin.input,
  instance: plugin.create(parseConfigOrThrow(plugin.config, raw), { isKey: false, isHeader: true }),
});

function sent(
  plugin: Converter,
  headers: readonly Header[],
  raw?: Record<string, string>,
): readonly Header[] {
  const converter = loaded(plugin, raw);
  return decodeHeaders(converter, 't', headerEncoder(converter)('t', headers));
}

const header = (key: string, value: unknown, schema: Header['schema'] = null): Header => ({
  key,
  schema,
  value,
});

test('headers come out of the log as they went in, whichever converter writes them', () => {
  const long = header('id', 9007199254740993n, INT64_SCHEMA);
  assert.deepEqual(sent(simpleHeader.plugin, [long, header('n', 'text', STRING_SCHEMA)]), [
    long,
    header('n', 'text', STRING_SCHEMA),
  ]);
  assert.deepEqual(sent(json.plugin, [long]), [long]);
  assert.deepEqual(sent(json.plugin, [header('a', { b: [1] })], { 'schemas.enable': 'false' }), [
    header('a', { b: [1] }),
  ]);
  assert.equal(sent(Long.plugin, [long])[0]?.value, 9007199254740993n);
  assert.deepEqual(sent(string.plugin, [header('s', '123')])[0]?.value, '123');
  assert.deepEqual(sent(bytes.plugin, [header('b', Uint8Array.of(255))])[0]?.value, Uint8Array.of(255));
});

test('a null header stays one beside an empty one, and beside a header of the name that marks it', () => {
  const given = [header('a', ''), header('a', null), header('TROUPE_NULL', '0'), header('b', null)];
  const values = sent(string.plugin, given).map(({ key, value }) => [key, value]);
  assert.deepEqual(values, [
    ['a', ''],
    ['a', null],
    ['TROUPE_NULL', '0'],
    ['b', null],
  ]);
});

test('null headers are found again where a log has put headers of other names in another order', () => {
  const converter = loaded(string.plugin);
  const given = [header('b', 'one'), header('a', null), header('b', null), header('__proto__', null)];
  const stored = [...headerEncoder(converter)('t', given)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  assert.deepEqual(
    decodeHeaders(converter, 't', stored).map(({ key, value }) => [key, value]),
    [
      ['__proto__', null],
      ['a', null],
      ['b', 'one'],
      ['b', null],
    ],
  );
});

test('a header that others wrote under the name of the mark is shown as it is', () => {
  const others = decodeHeaders(loaded(string.plugin), 't', [['TROUPE_NULL', Buffer.from('no list')]]);
  assert.deepEqual(
    others.map(({ key, value }) => [key, value]),
    [['TROUPE_NULL', 'no list']],
  );
});

test('a header that cannot be converted is a fault of its record, and is named', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  const named = (error: unknown): boolean =>
    error instanceof DataError && error.code === 'BAD_HEADER' && error.message.startsWith('the header h:');
  assert.throws(() => sent(simpleHeader.plugin, [header('h', circular)]), named);
  assert.throws(() => sent(Long.plugin, [header('h', 'text')]), named);
  assert.throws(() => decodeHeaders(loaded(Long.plugin), 't', [['h', Buffer.from('short')]]), named);
});
