import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameDecoder } from '#troupe/log/rocketmq/remoting/frame-decoder.js';
import { encodeHead, MAX_RECEIVED_BYTES, type Frame } from '#troupe/log/rocketmq/remoting/frame.js';
import { random } from '../../support/random.js';
import { frameBytes, responseBytes } from './fake-server.js';

const decode = (bytes: Buffer): Frame[] => new FrameDecoder().push(bytes);
const ints = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => bytes.writeInt32BE(value, 4 * i));
  return bytes;
};

test('frames come out the same however the stream is cut', () => {
  const { seed, next } = random();
  for (let round = 0; round < 300; round += 1) {
    const sent = Array.from({ length: 1 + next(6) }, (_, i) => ({
      opaque: next(2 ** 31),
      code: next(3000),
      fields: { offset: String(next(2 ** 31)), name: 'ü€'.repeat(next(50)) },
      body: Buffer.alloc(next(3) === 0 ? 0 : next(3000), i + 1),
    }));
    const stream = Buffer.concat(sent.map((frame) => responseBytes(frame.opaque, frame.code, frame)));
    const decoder = new FrameDecoder();
    const received: Frame[] = [];
    const longest = 1 + next(next(2) === 0 ? 3 : 4000);
    for (let at = 0; at < stream.length;) {
      const end = at + 1 + next(longest);
      received.push(...decoder.push(stream.subarray(at, end)));
      at = end;
    }
    const content = received.map(({ opaque, code, fields, body }) => ({ opaque, code, fields, body }));
    assert.deepEqual(content, sent, `TEST_SEED=${seed}, round ${round}`);
  }
});

test('what is written can be read: head, then body', () => {
  const question = { code: 320, fields: { b: 'orders' }, body: Buffer.from('messages') };
  const [frame] = decode(Buffer.concat([encodeHead(question, 77), question.body]));
  assert.deepEqual(
    [frame?.code, frame?.opaque, frame?.fields, frame?.body.toString(), frame?.isResponse],
    [320, 77, { b: 'orders' }, 'messages', false],
  );
});

test("a header in RocketMQ's binary form, as the Java library writes it", () => {
  const [frame] = decode(
    Buffer.from(
      '000000440100003d00110000000012d687000000010000000c6e6f20746f70696320e282ac0000001c' +
        '00016e00000002c3bc000b71756575654f6666736574000000023432010203',
      'hex',
    ),
  );
  assert.deepEqual(frame, {
    code: 17,
    opaque: 1_234_567,
    remark: 'no topic €',
    fields: { n: 'ü', queueOffset: '42' },
    isResponse: true,
    isOneway: false,
    body: Buffer.from([1, 2, 3]),
  });
});

test('bytes that are no frame are refused', () => {
  const cases: readonly (readonly [string, Buffer])[] = [
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a negative length', ints(-1)],
    ['a length of 0', ints(0)],
    ['a length beyond all limits', ints(MAX_RECEIVED_BYTES + 1)],
    ['a header longer than its frame', ints(8, 5, 0)],
    ['an unknown serialisation', Buffer.concat([ints(6, (9 << 24) | 2), Buffer.from('{}')])],
    ['a header that is no JSON', Buffer.concat([ints(6, 2), Buffer.from('{]')])],
    ['a header without opaque', frameBytes({ code: 0, flag: 1 })],
    ['a field that is no text', frameBytes({ code: 0, flag: 1, opaque: 1, extFields: { a: {} } })],
    ['a binary header that is cut', Buffer.concat([ints(12, (1 << 24) | 8), Buffer.alloc(8, 1)])],
  ];
  for (const [name, bytes] of cases) assert.throws(() => decode(bytes), Error, name);
});
