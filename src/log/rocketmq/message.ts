/**
 * RocketMQ's messages as bytes, big-endian. A broker takes many of them as one body (`BatchBody`) and answers a pull
 * with stored ones (`decodeMessages`), which carry more: offsets, times, hosts, the topic.
 */
import { crc32 } from 'node:zlib';
import { LogError } from '../log.js';
import { decompress } from './decompress.js';

/** Of a message in a batch: total size, magic, checksum, flag, body size, properties size. */
const BATCH_OVERHEAD = 22;
/**
 * A broker counts a batch's messages in an int16, and answers with an id of 33 characters for each. Beyond 32,767 its
 * offsets would go wrong.
 */
export const MAX_BATCH_MESSAGES = 16_384;
/** An int16 counts them; the broker and the client add properties of their own, at least the cluster's name. */
export const MAX_PROPERTIES_BYTES = 31_000;

/** Collects messages up to a size, to be sent in one request. */
export class BatchBody {
  readonly maxBytes: number;
  #bytes: Buffer;
  #used = 0;
  #count = 0;

  /** `sizeHint`: about what will be needed. */
  constructor(maxBytes: number, sizeHint: number) {
    this.maxBytes = maxBytes;
    this.#bytes = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(1024, sizeHint)));
  }

  get count(): number {
    return this.#count;
  }

  fits(bodyBytes: number, propertiesBytes: number): boolean {
    return (
      this.#count < MAX_BATCH_MESSAGES &&
      this.#used + BATCH_OVERHEAD + bodyBytes + propertiesBytes <= this.maxBytes
    );
  }

  /** Copies both. Call `fits` before. */
  add(body: Uint8Array, properties: Uint8Array): void {
    const size = BATCH_OVERHEAD + body.length + properties.length;
    this.#reserve(size);
    const bytes = this.#bytes;
    let at = bytes.writeInt32BE(size, this.#used);
    // Magic, checksum and flag: a broker looks at none of them.
    at = bytes.writeInt32BE(0, at);
    at = bytes.writeInt32BE(0, at);
    at = bytes.writeInt32BE(0, at);
    at = bytes.writeInt32BE(body.length, at);
    bytes.set(body, at);
    at = bytes.writeInt16BE(properties.length, at + body.length);
    bytes.set(properties, at);
    this.#used += size;
    this.#count += 1;
  }

  /** A view; this object is done with. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#used);
  }

  #reserve(size: number): void {
    const needed = this.#used + size;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, Math.min(this.maxBytes, this.#bytes.length * 2)));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}

export interface StoredMessage {
  readonly queueOffset: number;
  readonly bornTimestamp: number;
  readonly storeTimestamp: number;
  /** Not compressed any more. */
  readonly body: Buffer;
  readonly properties: Buffer;
}

const MAGIC = 0xdaa320a7 | 0;
/** The topic's length has two bytes. */
const MAGIC_LONG_TOPIC = 0xdaa320ab | 0;
const QUEUE_OFFSET_AT = 20;
const COMPRESSED = 1;
const BORN_HOST_V6 = 1 << 4;
const STORE_HOST_V6 = 1 << 5;
const NEED_UNWRAP = 1 << 6;
const INNER_BATCH = 1 << 7;

/**
 * What a pull brought, each when it is asked for: decompressed they may be many times as large. Bodies and properties
 * share its memory. LogError at one that cannot be read, LOG_CORRUPT when it is damaged.
 */
export function* decodeMessages(bytes: Buffer): Generator<StoredMessage, void> {
  const messages: StoredMessage[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = sizeAt(bytes, at);
    readOne(bytes.subarray(at, at + size), messages);
    for (const message of messages) yield message;
    messages.length = 0;
    at += size;
  }
}

function readOne(bytes: Buffer, into: StoredMessage[]): void {
  try {
    decodeOne(bytes, into);
  } catch (error) {
    const failure =
      error instanceof LogError ? error : corrupt('its fields do not add up to its size', error);
    if (bytes.length < QUEUE_OFFSET_AT + 8) throw failure;
    const { code, message, cause } = failure;
    throw new LogError(code, `queue offset ${int64(bytes, QUEUE_OFFSET_AT)}: ${message}`, { cause });
  }
}

function decodeOne(bytes: Buffer, into: StoredMessage[]): void {
  const magic = bytes.readInt32BE(4);
  if (magic !== MAGIC && magic !== MAGIC_LONG_TOPIC) throw corrupt('it does not begin with the mark of one');
  const sysFlag = bytes.readInt32BE(36);
  const storeTimestampAt = 48 + hostBytes(sysFlag & BORN_HOST_V6);
  // After the store's timestamp: its host, the number of deliveries, the offset of the prepared transaction.
  const bodyAt = storeTimestampAt + 8 + hostBytes(sysFlag & STORE_HOST_V6) + 12 + 4;
  const stored = slice(bytes, bodyAt, bytes.readInt32BE(bodyAt - 4));
  const topicAt = bodyAt + stored.length;
  const topicLengthBytes = magic === MAGIC ? 1 : 2;
  const propertiesAt = topicAt + topicLengthBytes + bytes.readUIntBE(topicAt, topicLengthBytes) + 2;
  const queueOffset = int64(bytes, QUEUE_OFFSET_AT);
  // Zero where none was computed, as for a batch within a batch.
  const checksum = bytes.readInt32BE(8);
  if (checksum !== 0 && checksum !== (crc32(stored) & 0x7fffffff))
    throw corrupt('the checksum of its body does not match');
  const message: StoredMessage = {
    queueOffset,
    bornTimestamp: int64(bytes, 40),
    storeTimestamp: int64(bytes, storeTimestampAt),
    body: (sysFlag & COMPRESSED) === 0 ? stored : decompress(stored, sysFlag),
    properties: slice(bytes, propertiesAt, bytes.readInt16BE(propertiesAt - 2)),
  };
  const isBatch = (sysFlag & (NEED_UNWRAP | INNER_BATCH)) === (NEED_UNWRAP | INNER_BATCH);
  if (isBatch) unwrap(message, into);
  else into.push(message);
}

/** A topic of batches keeps each as its producer sent it; its messages follow each other from the batch's offset. */
function unwrap(batch: StoredMessage, into: StoredMessage[]): void {
  const bytes = batch.body;
  let queueOffset = batch.queueOffset;
  for (let at = 0; at < bytes.length; queueOffset += 1) {
    const size = sizeAt(bytes, at);
    const inner = bytes.subarray(at, at + size);
    const body = slice(inner, 20, inner.readInt32BE(16));
    const propertiesAt = 20 + body.length + 2;
    const properties = slice(inner, propertiesAt, inner.readInt16BE(propertiesAt - 2));
    into.push({ ...batch, queueOffset, body, properties });
    at += size;
  }
}

function sizeAt(bytes: Buffer, at: number): number {
  const size = bytes.length - at < 4 ? 0 : bytes.readInt32BE(at);
  if (size < BATCH_OVERHEAD || at + size > bytes.length)
    throw corrupt(`it claims ${size} bytes of the ${bytes.length - at} there are`);
  return size;
}

function slice(bytes: Buffer, start: number, length: number): Buffer {
  if (length < 0 || start + length > bytes.length)
    throw corrupt(`a field of ${length} bytes does not fit into it`);
  return bytes.subarray(start, start + length);
}

/** An address and a port of four bytes. */
function hostBytes(isV6: number): number {
  return isV6 === 0 ? 8 : 20;
}

function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

function corrupt(what: string, cause?: unknown): LogError {
  return new LogError(
    'LOG_CORRUPT',
    `a message that the broker sent is damaged: ${what}. Look at the disk of the broker, or skip the message by an offset behind it`,
    { cause },
  );
}
