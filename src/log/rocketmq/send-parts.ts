/** Cuts a batch of records into the requests that carry it to a broker. */
import { BatchReader } from '../batch.js';
import { LogError, NO_MARK, type QueueEntry } from '../log.js';
import { BatchBody, MAX_PROPERTIES_BYTES } from './message.js';
import { PropertyWriter } from './message-properties.js';
import { ID_PROPERTY, RecordIdWriter } from './record-id.js';
import { toMessage } from './record-message.js';

/** Sent in one request, and stored wholly or not at all. */
export interface SendPart {
  readonly body: Buffer;
  readonly count: number;
  readonly bornTimestamp: number;
}

/** What a message takes besides its record, about. */
const MESSAGE_BYTES = 64;
/**
 * The end of the year 9999. A message born later fails every receive through the proxy that would bring it, and so holds
 * up shared sinks for good. Microseconds that are taken for milliseconds are far beyond it.
 */
const MAX_BORN_TIMESTAMP = 253_402_300_799_999;

/**
 * `maxBytes`: the broker's limit for a request. LogError LOG_BAD_REQUEST where one record does not fit, before
 * anything was sent.
 */
export function toSendParts({ batch, topic, marks }: QueueEntry, maxBytes: number): SendPart[] {
  const { bytes } = batch;
  const records = BatchReader.open(bytes, true);
  const bornTimestamp = Math.min(Math.max(0, records.timestamp(0)), MAX_BORN_TIMESTAMP);
  const properties = new PropertyWriter();
  const ids = marks === undefined ? null : new RecordIdWriter(marks.writer);
  const parts: SendPart[] = [];
  const sizeHint = bytes.byteLength + records.count * MESSAGE_BYTES;
  let body = new BatchBody(maxBytes, sizeHint);
  for (let i = 0; i < records.count; i += 1) {
    const value = toMessage(records, i, bornTimestamp, properties);
    const mark = marks?.ids[i] ?? NO_MARK;
    if (ids !== null && mark !== NO_MARK) properties.add(ID_PROPERTY, ids.write(mark));
    if (properties.size > MAX_PROPERTIES_BYTES) throw propertiesTooLarge(topic, i, properties.size);
    if (body.count > 0 && !body.fits(value.length, properties.size)) {
      parts.push({ body: body.bytes(), count: body.count, bornTimestamp });
      body = new BatchBody(maxBytes, sizeHint);
    }
    if (!body.fits(value.length, properties.size)) throw tooLarge(topic, i, value.length, maxBytes);
    body.add(value, properties.bytes());
  }
  parts.push({ body: body.bytes(), count: body.count, bornTimestamp });
  return parts;
}

function tooLarge(topic: string, index: number, bytes: number, maxBytes: number): LogError {
  return new LogError(
    'LOG_BAD_REQUEST',
    `record ${index} of a batch for topic ${topic} has ${bytes} bytes and its key and headers, more than the ${maxBytes} that the broker takes in one request; nothing was appended. Raise maxMessageSize of the broker and rocketmq.max.message.bytes, or make the record smaller`,
  );
}

function propertiesTooLarge(topic: string, index: number, bytes: number): LogError {
  return new LogError(
    'LOG_BAD_REQUEST',
    `key and headers of record ${index} of a batch for topic ${topic} take ${bytes} bytes, more than the ${MAX_PROPERTIES_BYTES} that RocketMQ stores with a message; nothing was appended. Move some of it into the value, by a transform or at its source`,
  );
}
