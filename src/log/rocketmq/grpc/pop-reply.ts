/**
 * What the proxy answers to a receive, as it stands on the wire (apache/rocketmq-apis, definition.proto, service.proto).
 * The client's generated messages read it, too, but take nearly three times as long.
 */
import protobuf, { type Reader } from 'protobufjs/minimal.js';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';

/** A message that was handed out. Where a number or a text is missing it is 0 or empty. */
export interface PopMessage {
  messageId: string;
  receiptHandle: string;
  queueId: number;
  queueOffset: number;
  deliveryAttempt: number;
  keys: string[];
  tag: string;
  isCompressed: boolean;
  /** In ms since 1970. */
  bornTimestamp: number | null;
  storeTimestamp: number;
  /** In the order in which they came, which is none. */
  properties: [string, string][];
  /** Shares the memory of the reply. */
  body: Buffer;
}

/** One of them: a status, a message, or something that does not matter here. */
export interface PopReply {
  readonly status: { readonly code: number; readonly message: string } | null;
  readonly message: PopMessage | null;
}

/** A number on the wire. */
const GZIP: number = definition.Encoding.GZIP;
const NO_BYTES = Buffer.alloc(0);

/** Throws where the bytes are none. */
export function readPopReply(bytes: Buffer): PopReply {
  const reader = protobuf.Reader.create(bytes);
  let status: PopReply['status'] = null;
  let message: PopMessage | null = null;
  readFields(reader, reader.len, (field) => {
    if (field === 1) status = readStatus(reader);
    else if (field === 2) message = readMessage(reader);
    else return false;
    return true;
  });
  return { status, message };
}

function readStatus(reader: Reader): NonNullable<PopReply['status']> {
  const status = { code: 0, message: '' };
  readFields(reader, endOf(reader), (field) => {
    if (field === 1) status.code = reader.int32();
    else if (field === 2) status.message = reader.string();
    else return false;
    return true;
  });
  return status;
}

function readMessage(reader: Reader): PopMessage {
  const message: PopMessage = {
    messageId: '',
    receiptHandle: '',
    queueId: 0,
    queueOffset: 0,
    deliveryAttempt: 0,
    keys: [],
    tag: '',
    isCompressed: false,
    bornTimestamp: null,
    storeTimestamp: 0,
    properties: [],
    body: NO_BYTES,
  };
  readFields(reader, endOf(reader), (field) => {
    if (field === 2) message.properties.push(readProperty(reader));
    else if (field === 3) readSystemProperties(reader, message);
    else if (field === 4) message.body = viewOf(reader.bytes());
    else return false;
    return true;
  });
  return message;
}

function readProperty(reader: Reader): [string, string] {
  const property: [string, string] = ['', ''];
  readFields(reader, endOf(reader), (field) => {
    if (field === 1) property[0] = reader.string();
    else if (field === 2) property[1] = reader.string();
    else return false;
    return true;
  });
  return property;
}

/** Hosts, digests and what only producers need are left out. */
function readSystemProperties(reader: Reader, message: PopMessage): void {
  readFields(reader, endOf(reader), (field) => {
    if (field === 1) message.tag = reader.string();
    else if (field === 2) message.keys.push(reader.string());
    else if (field === 3) message.messageId = reader.string();
    else if (field === 5) message.isCompressed = reader.int32() === GZIP;
    else if (field === 7) message.bornTimestamp = readTimestamp(reader);
    else if (field === 9) message.storeTimestamp = readTimestamp(reader);
    else if (field === 12) message.receiptHandle = reader.string();
    else if (field === 13) message.queueId = reader.int32();
    else if (field === 14) message.queueOffset = int64(reader);
    else if (field === 16) message.deliveryAttempt = reader.int32();
    else return false;
    return true;
  });
}

function readTimestamp(reader: Reader): number {
  let seconds = 0;
  let nanos = 0;
  readFields(reader, endOf(reader), (field) => {
    if (field === 1) seconds = int64(reader);
    else if (field === 2) nanos = reader.int32();
    else return false;
    return true;
  });
  return seconds * 1000 + Math.trunc(nanos / 1_000_000);
}

function int64(reader: Reader): number {
  // A `Long`, whose types do not resolve here.
  const value: unknown = reader.int64();
  return Number(String(value));
}

/** `read` answers false where it did not take the value of the field. */
function readFields(reader: Reader, end: number, read: (field: number) => boolean): void {
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (!read(tag >>> 3)) reader.skipType(tag & 7);
  }
  if (reader.pos > end) throw new RangeError('a field of a message ends behind the message');
}

/** Of the message that begins here with its size. */
function endOf(reader: Reader): number {
  const size = reader.uint32();
  return reader.pos + size;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
