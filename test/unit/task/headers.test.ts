import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeHeader } from '#troupe/actors/task/headers.js';
import { DataError, Decimal } from '#troupe/sdk/index.js';

const written = (value: unknown): string =>
  Buffer.from(encodeHeader('t', { key: 'h', schema: null, value })).toString('utf8');

test('headers are written as text, and nothing in them is left out', () => {
  assert.equal(written('as it is'), 'as it is');
  assert.equal(written(Uint8Array.of(0x61)), 'a');
  assert.equal(written(9223372036854775807n), '9223372036854775807');
  assert.equal(written({ a: [1, null] }), '{"a":[1,null]}');
  assert.equal(written(new Map([['k', new Map([['n', 1]])]])), '{"k":{"n":1}}');
  assert.equal(written(new Map([[1, 'one']])), '[[1,"one"]]');
  assert.equal(written({ bytes: Uint8Array.of(1, 2) }), '{"bytes":"AQI="}');
  assert.equal(written([new Date(0), Decimal.parse('1.50')]), '["1970-01-01T00:00:00.000Z","1.50"]');
});

test('a header without a text form is a fault of its record', () => {
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  for (const value of [circular, { long: 1n }])
    assert.throws(
      () => written(value),
      (error) =>
        error instanceof DataError && error.code === 'BAD_HEADER' && error.message.includes('header h'),
    );
});
