/** RocketMQ's messages as a broker stores them and answers them to a pull: what the tests of the decoder read. */
import { crc32 } from 'node:zlib';

export interface StoredFields {
  readonly queueOffset: number;
  readonly body: Buffer;
  readonly properties: Buffer;
  readonly bornTimestamp?: number;
  readonly sysFlag?: number;
  readonly topic?: string;
  /** 0: none was computed. */
  readonly checksum?: number;
}

const MAGIC = 0xdaa320a7;
const MAGIC_LONG_TOPIC = 0xdaa320ab;
const BORN_HOST_V6 = 1 << 4;
const STORE_HOST_V6 = 1 << 5;

export function storedMessage(fields: StoredFields): Buffer {
  const { queueOffset, body, properties, bornTimestamp = 0, sysFlag = 0, topic = 'topic' } = fields;
  const long = topic.length > 127;
  const bytes = Buffer.concat([
    int32(0),
    int32(long ? MAGIC_LONG_TOPIC : MAGIC),
    int32(fields.checksum ?? crc32(body) & 0x7fffffff),
    int32(0),
    int32(0),
    int64(queueOffset),
    int64(12_345),
    int32(sysFlag),
    int64(bornTimestamp),
    Buffer.alloc((sysFlag & BORN_HOST_V6) === 0 ? 8 : 20, 1),
    int64(1_700_000_000_000),
    Buffer.alloc((sysFlag & STORE_HOST_V6) === 0 ? 8 : 20, 2),
    int32(0),
    int64(0),
    int32(body.length),
    body,
    ...(long ? [Buffer.from([topic.length >> 8])] : []),
    Buffer.from([topic.length & 255]),
    Buffer.from(topic),
    Buffer.from([properties.length >> 8, properties.length & 255]),
    properties,
  ]);
  bytes.writeInt32BE(bytes.length);
  return bytes;
}

/** What a broker makes of a batch that a producer sent: the batch's own properties come after each message's. */
export function storeBatch(body: Buffer, bornTimestamp: number, firstOffset = 0): Buffer {
  const stored: Buffer[] = [];
  for (let at = 0; at < body.length; at += body.readInt32BE(at)) {
    const bodyEnd = at + 20 + body.readInt32BE(at + 16);
    stored.push(
      storedMessage({
        queueOffset: firstOffset + stored.length,
        bornTimestamp,
        body: body.subarray(at + 20, bodyEnd),
        properties: Buffer.concat([
          body.subarray(bodyEnd + 2, at + body.readInt32BE(at)),
          Buffer.from('CLUSTER\u0001DefaultCluster\u0002'),
        ]),
      }),
    );
  }
  return Buffer.concat(stored);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}
