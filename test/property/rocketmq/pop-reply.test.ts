/** Our reader of what the proxy hands out, against the messages that google-protobuf writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import timestamp from 'google-protobuf/google/protobuf/timestamp_pb.js';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import service from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { readPopReply, type PopMessage } from '#troupe/log/rocketmq/grpc/pop-reply.js';

const text = fc.string({ unit: fc.constantFrom('a', ' ', '\u0001', 'ü', '群', '🎭'), maxLength: 200 });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const safe = fc.maxSafeInteger();
const bytes = fc.uint8Array({ maxLength: 300 });

const anyMessage = fc.record({
  messageId: text,
  receiptHandle: text,
  queueId: int32,
  queueOffset: safe,
  deliveryAttempt: int32,
  keys: fc.array(text, { maxLength: 3 }),
  tag: text,
  isCompressed: fc.boolean(),
  bornTimestamp: fc.option(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })),
  storeTimestamp: fc.nat({ max: 253_402_300_799_999 }),
  properties: fc.dictionary(
    text.filter((name) => name !== '__proto__'),
    text,
    { maxKeys: 4 },
  ),
  body: bytes,
  // Not read.
  bornHost: text,
  digest: text,
  liteTopic: text,
});

test('any message is read as it was written, whatever else stands beside it', () => {
  fc.assert(
    fc.property(anyMessage, (wanted) => {
      const system = new definition.SystemProperties()
        .setMessageId(wanted.messageId)
        .setReceiptHandle(wanted.receiptHandle)
        .setQueueId(wanted.queueId)
        .setQueueOffset(wanted.queueOffset)
        .setDeliveryAttempt(wanted.deliveryAttempt)
        .setKeysList(wanted.keys)
        .setTag(wanted.tag)
        .setBodyEncoding(wanted.isCompressed ? definition.Encoding.GZIP : definition.Encoding.IDENTITY)
        .setStoreTimestamp(time(wanted.storeTimestamp))
        .setBornHost(wanted.bornHost)
        .setBodyDigest(new definition.Digest().setChecksum(wanted.digest));
      if (wanted.bornTimestamp !== null) system.setBornTimestamp(time(wanted.bornTimestamp));
      const message = new definition.Message()
        .setTopic(new definition.Resource().setName('t'))
        .setSystemProperties(system)
        .setBody(wanted.body);
      for (const [name, value] of Object.entries(wanted.properties))
        message.getUserPropertiesMap().set(name, value);
      const reply = new service.ReceiveMessageResponse().setMessage(message);
      const { status, message: found } = readPopReply(Buffer.from(reply.serializeBinary()));
      assert.equal(status, null);
      assert.ok(found !== null);
      assert.deepEqual(
        comparable(found, found.properties, found.body),
        comparable(wanted, Object.entries(wanted.properties), wanted.body),
      );
    }),
  );
});

test('a status is read, and a reply with the time of delivery is neither', () => {
  const status = new definition.Status()
    .setCode(definition.Code.MESSAGE_NOT_FOUND)
    .setMessage('no new message');
  const refused = new service.ReceiveMessageResponse().setStatus(status);
  assert.deepEqual(readPopReply(Buffer.from(refused.serializeBinary())), {
    status: { code: definition.Code.MESSAGE_NOT_FOUND, message: 'no new message' },
    message: null,
  });
  const timed = new service.ReceiveMessageResponse().setDeliveryTimestamp(time(17));
  assert.deepEqual(readPopReply(Buffer.from(timed.serializeBinary())), { status: null, message: null });
});

test('bytes that are cut short are refused, wherever that is', () => {
  const system = new definition.SystemProperties()
    .setMessageId('m')
    .setQueueOffset(2 ** 52)
    .setQueueId(-1);
  const message = new definition.Message().setSystemProperties(system).setBody(Buffer.from('body'));
  const whole = Buffer.from(new service.ReceiveMessageResponse().setMessage(message).serializeBinary());
  for (let length = 1; length < whole.length; length += 1)
    assert.throws(() => readPopReply(whole.subarray(0, length)), RangeError, `${length} of ${whole.length}`);
});

/** Protocol Buffers' times have nanoseconds that are never negative. */
function time(ms: number): timestamp.Timestamp {
  const seconds = Math.floor(ms / 1000);
  return new timestamp.Timestamp().setSeconds(seconds).setNanos((ms - seconds * 1000) * 1_000_000);
}

/** Properties have no order; a body may be any kind of bytes. */
function comparable(
  message: Omit<PopMessage, 'properties' | 'body'>,
  properties: readonly (readonly [string, string])[],
  body: Uint8Array,
): object {
  return {
    messageId: message.messageId,
    receiptHandle: message.receiptHandle,
    queueId: message.queueId,
    queueOffset: message.queueOffset,
    deliveryAttempt: message.deliveryAttempt,
    keys: message.keys,
    tag: message.tag,
    isCompressed: message.isCompressed,
    bornTimestamp: message.bornTimestamp,
    storeTimestamp: message.storeTimestamp,
    properties: properties.map(([name, value]) => `${name}\n${value}`).sort(),
    body: Buffer.from(body).toString('hex'),
  };
}
