import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entriesOf, parseJson } from '#troupe/log/rocketmq/remoting/loose-json.js';

test('numbers as keys, as in the addresses of a broker', () => {
  assert.deepEqual(parseJson('{"brokerAddrs":{0:"127.0.0.1:10911",1:"127.0.0.1:10921"},"acting":false}'), {
    brokerAddrs: { 0: '127.0.0.1:10911', 1: '127.0.0.1:10921' },
    acting: false,
  });
});

test("objects as keys, as in a topic's statistics", () => {
  const text =
    String.raw`{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t'\"x\u000B\u0001é"}:{"maxOffset":5},` +
    `{"brokerName":"b","queueId":1}:{"maxOffset":-1.5e3}},"topicPutTps":0.0}`;
  assert.deepEqual(parseJson(text), {
    offsetTable: [
      [{ brokerName: 'b', queueId: 0, topic: 't\'"x\u000b\u0001é' }, { maxOffset: 5 }],
      [{ brokerName: 'b', queueId: 1 }, { maxOffset: -1500 }],
    ],
    topicPutTps: 0,
  });
});

test('an object without entries is the same with either kind of keys', () => {
  assert.deepEqual(entriesOf(parseJson('{1:{}}')), [['1', {}]]);
  assert.deepEqual(entriesOf(parseJson('{}')), []);
  assert.deepEqual(entriesOf(parseJson('{{"a":1}:2}')), [[{ a: 1 }, 2]]);
  assert.equal(entriesOf(parseJson('[1]')), null);
  assert.equal(entriesOf(null), null);
});

test('escapes and quotes that the standard does not have', () => {
  assert.deepEqual(parseJson(String.raw`{1:'it\'s \x41\v\0\/'}`), { 1: "it's A\v\0/" });
});

/** The key 1 keeps the standard parser from reading it. */
const loose = (value: unknown): string => `{1:${JSON.stringify(value)}}`;

test('all that is JSON is read as JSON is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const read: unknown = JSON.parse(JSON.stringify(value));
      assert.deepEqual(parseJson(loose(value)), { 1: read });
    }),
  );
});

test('a text that was cut is never taken for a whole one', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(), (value, cut) => {
      const text = loose(value);
      assert.throws(() => parseJson(text.slice(0, cut % text.length)), SyntaxError);
    }),
  );
});

test('nonsense is refused', () => {
  for (const text of [
    '',
    '{1:2}3',
    '{1:}',
    '{1,2}',
    '[1:2',
    '{1:nul}',
    '{1:"\\u12"}',
    '{1:"\\uzzzz"}',
    '{:1}',
  ])
    assert.throws(() => parseJson(text), SyntaxError, text);
  assert.throws(() => parseJson('[1:'.repeat(100_000)), SyntaxError);
  assert.throws(() => parseJson(`{1:${'['.repeat(100_000)}`), SyntaxError);
});
