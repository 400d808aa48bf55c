import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BYTES_SCHEMA,
  Decimal,
  INT32_SCHEMA,
  OPTIONAL_BYTES_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  STRING_SCHEMA,
} from '#troupe/sdk/index.js';
import { converter, dataError } from './converters.js';

test('text goes through the string converter as it is', () => {
  const string = converter('string');
  assert.equal(string.fromConnectData('t', STRING_SCHEMA, 'é\n'), 'é\n');
  assert.equal(string.fromConnectData('t', null, null), null);
  assert.deepEqual(string.toConnectData('t', 'x'), { schema: OPTIONAL_STRING_SCHEMA, value: 'x' });
  assert.deepEqual(string.toConnectData('t', Buffer.from('é')), {
    schema: OPTIONAL_STRING_SCHEMA,
    value: 'é',
  });
  assert.deepEqual(string.toConnectData('t', null), { schema: OPTIONAL_STRING_SCHEMA, value: null });
});

test('other values are written as their text, objects as JSON', () => {
  const string = converter('string');
  const written = (value: unknown): unknown => string.fromConnectData('t', null, value);
  assert.equal(written(5n), '5');
  assert.equal(written(false), 'false');
  assert.equal(written({ a: [1n], b: new Map([['k', 1]]) }), '{"a":["1"],"b":[["k",1]]}');
  assert.equal(written(Decimal.parse('1.50')), '1.50');
  assert.equal(written(new Date(0)), '1970-01-01T00:00:00.000Z');
  assert.equal(written(Buffer.from('é')), 'é');
  const circular: unknown[] = [];
  circular.push(circular);
  assert.throws(() => written(circular), dataError('NO_TEXT_FORM'));
  assert.throws(() => written(Symbol('x')), dataError('NO_TEXT_FORM'));
});

test('the string converter refuses encodings that it does not have', () => {
  assert.throws(() => converter('string', { 'converter.encoding': 'UTF-16' }), /must be one of: UTF-8/);
});

test('the byte array converter takes bytes and nothing else', () => {
  const bytes = converter('byteArray');
  const data = Uint8Array.of(0, 255);
  assert.equal(bytes.fromConnectData('t', BYTES_SCHEMA, data), data);
  assert.equal(bytes.fromConnectData('t', null, null), null);
  assert.deepEqual(bytes.toConnectData('t', data), { schema: OPTIONAL_BYTES_SCHEMA, value: data });
  assert.throws(
    () => bytes.fromConnectData('t', INT32_SCHEMA, 5),
    dataError('WRONG_CONVERTER', /BYTES, not INT32/),
  );
  assert.throws(
    () => bytes.fromConnectData('t', null, 'text'),
    dataError('WRONG_CONVERTER', /another converter/),
  );
});
