import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';

import { BatchBuilder, BatchReader } from '#troupe/log/batch.js';
import { LogError } from '#troupe/log/log.js';
import { decodeMessages, MAX_BATCH_MESSAGES } from '#troupe/log/rocketmq/message.js';
import { RecordCollector } from '#troupe/log/rocketmq/record-collector.js';
import { toSendParts } from '#troupe/log/rocketmq/send-parts.js';

import { storedMessage } from '../../support/stored-messages.js';

const NONE = Buffer.alloc(0);
const COMPRESSED = 1;
const LZ4 = COMPRESSED | (1 << 8);
const INNER_BATCH = (1 << 6) | (1 << 7);

function bodyOf(sysFlag: number, body: Buffer): string | undefined {
  const [message] = decodeMessages(storedMessage({ queueOffset: 0, body, properties: NONE, sysFlag }));
  return message?.body.toString();
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof LogError && error.code === code;
}

test('addresses of IPv6 and topics longer than 127 characters move the fields behind them', () => {
  for (const sysFlag of [0, 1 << 4, 1 << 5, (1 << 4) | (1 << 5)]) {
    for (const topic of ['t', 'x'.repeat(200)]) {
      const bytes = storedMessage({
        queueOffset: 2 ** 40 + 1,
        bornTimestamp: -5,
        body: Buffer.from('body'),
        properties: Buffer.from('a\u0001b\u0002'),
        sysFlag,
        topic,
      });
      const [first, second] = decodeMessages(Buffer.concat([bytes, bytes]));
      assert.deepEqual(first, second);
      assert.equal(first?.queueOffset, 2 ** 40 + 1);
      assert.equal(first?.bornTimestamp, -5);
      assert.equal(first?.body.toString(), 'body');
      assert.equal(first?.properties.toString(), 'a\u0001b\u0002');
    }
  }
});

test('compressed bodies are read: zlib, as old and new producers mark it, and LZ4 with matches that repeat themselves', () => {
  const text = `${'abc'.repeat(100)}${'x'.repeat(400)}end`;
  assert.equal(bodyOf(COMPRESSED, deflateSync(text)), text);
  assert.equal(bodyOf(COMPRESSED | (3 << 8), deflateSync(text)), text);
  // "abc", a match of 297 at distance 3; "x", a match of 399 at distance 1; "end".
  const block = Buffer.concat([
    Buffer.from([0x3f]),
    Buffer.from('abc'),
    Buffer.from([3, 0, 255, 297 - 4 - 15 - 255]),
    Buffer.from([0x1f]),
    Buffer.from('x'),
    Buffer.from([1, 0, 255, 399 - 4 - 15 - 255]),
    Buffer.from([0x30]),
    Buffer.from('end'),
  ]);
  assert.equal(bodyOf(LZ4, lz4Frame(block)), text);
});

test('a compressed body that is damaged, or would not fit into a record, is an error and not a crash', () => {
  const bomb = deflateSync(Buffer.alloc(64 << 20));
  for (const [sysFlag, body] of [
    [COMPRESSED, Buffer.from('not zlib')],
    [COMPRESSED, bomb],
    [LZ4, Buffer.from('not lz4')],
    [LZ4, lz4Frame(Buffer.from([0x10, 65, 9, 0]))],
    [LZ4, lz4Frame(Buffer.from([0xf0]))],
  ] as const) {
    assert.throws(() => bodyOf(sysFlag, body), hasCode('LOG_CORRUPT'));
  }
});

test('a time of birth that the proxy could not hand out is kept beside the message', () => {
  for (const [timestamp, born] of [
    [-1, 0],
    [253_402_300_799_999, 253_402_300_799_999],
    [253_402_300_800_000, 253_402_300_799_999],
    [Number.MAX_SAFE_INTEGER, 253_402_300_799_999],
  ] as const) {
    const builder = new BatchBuilder();
    builder.add(null, 'value', timestamp);
    const [part] = toSendParts({ topic: 't', queue: 0, batch: builder.build() }, 1 << 20);
    assert.equal(part?.bornTimestamp, born);
    assert.equal(part.body.toString('latin1').includes(`TROUPE_TIME\u0001${timestamp}`), timestamp !== born);
  }
});

test('a batch that the broker stored as one is unwrapped; what lies before the offset asked for is left out', () => {
  const builder = new BatchBuilder();
  for (const value of ['a', 'b', 'c']) builder.add(null, value, 5);
  const [part] = toSendParts({ topic: 't', queue: 0, batch: builder.build() }, 1 << 20);
  const bytes = storedMessage({
    queueOffset: 10,
    body: part?.body ?? NONE,
    properties: Buffer.from('INNER_NUM\u00013\u0002'),
    sysFlag: INNER_BATCH,
    checksum: 0,
  });
  const collector = new RecordCollector(11, { maxBytes: 1000, maxRecords: 10 });
  collector.add(decodeMessages(bytes));
  const [stored] = collector.finish();
  assert.equal(stored?.baseOffset, 11);
  assert.equal(BatchReader.open(stored.batch.bytes).valueText(0), 'b');
  assert.equal(collector.next, 13);
});

test('offsets that are missing begin another batch', () => {
  const collector = new RecordCollector(0, { maxBytes: 1000, maxRecords: 10 });
  const message = (queueOffset: number): Buffer =>
    storedMessage({ queueOffset, body: Buffer.from('x'), properties: NONE });
  collector.add(decodeMessages(Buffer.concat([message(3), message(4), message(9)])));
  assert.deepEqual(
    collector.finish().map(({ baseOffset, batch }) => [baseOffset, batch.count]),
    [
      [3, 2],
      [9, 1],
    ],
  );
});

test('damaged answers are refused, wherever they were cut or changed', () => {
  const bytes = storedMessage({
    queueOffset: 0,
    body: Buffer.from('body'),
    properties: Buffer.from('a\u0001b\u0002'),
  });
  for (let length = 1; length < bytes.length; length += 1)
    assert.throws(() => [...decodeMessages(bytes.subarray(0, length))], hasCode('LOG_CORRUPT'));
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(88) ^ 1, 88);
  assert.throws(() => [...decodeMessages(flipped)], /queue offset 0: .*checksum/);
});

test('a request never holds more messages than a broker can count', () => {
  const builder = new BatchBuilder();
  for (let i = 0; i < MAX_BATCH_MESSAGES + 1; i += 1) builder.add(null, '', 5);
  const parts = toSendParts({ topic: 't', queue: 0, batch: builder.build() }, 4 << 20);
  assert.deepEqual(
    parts.map(({ count }) => count),
    [MAX_BATCH_MESSAGES, 1],
  );
});

test('keys and headers beyond what RocketMQ stores with a message are refused by name', () => {
  const builder = new BatchBuilder();
  builder.add('k'.repeat(40_000), 'v', 5);
  assert.throws(
    () => toSendParts({ topic: 't', queue: 0, batch: builder.build() }, 4 << 20),
    /key and headers of record 0/,
  );
});

function lz4Frame(block: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(block.length);
  return Buffer.concat([
    Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73]),
    size,
    block,
    Buffer.alloc(4),
  ]);
}
