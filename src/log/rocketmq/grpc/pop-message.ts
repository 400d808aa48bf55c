/** Messages as the proxy hands them out, as records. */
import type { BatchBuilder } from '../../batch.js';
import { LogError, MAX_BATCH_BYTES } from '../../log.js';
import { decompress } from '../decompress.js';
import { PropertyWriter } from '../message-properties.js';
import { addRecord } from '../record-message.js';
import type { PopMessage } from './pop-reply.js';

const properties = new PropertyWriter();
/** What a batch of one takes besides is less than the rest. */
const MAX_RECORD_BYTES = MAX_BATCH_BYTES - 1024 * 1024;
const HEADER = 'TROUPE_HEADER.';

/** What was small on its way may be large. A record may be larger than this, alone. */
const MAX_BUILT_BYTES = 8 * 1024 * 1024;

/** False: the batch has enough without it. LogError where the message cannot be read. */
export function addPopMessage(message: PopMessage, builder: BatchBuilder): boolean {
  const { tag, queueOffset, storeTimestamp } = message;
  const body = bodyOf(message);
  properties.reset();
  // What stood there between separators, but for any at the end.
  const keys = message.keys.join(' ');
  if (keys !== '') properties.add('KEYS', keys);
  if (tag !== '') properties.add('TAGS', tag);
  for (const [name, value] of inOrder(message.properties)) properties.add(name, value);
  const bytes = body.length + properties.size;
  if (builder.count > 0 && builder.byteSize + bytes > MAX_BUILT_BYTES) return false;
  if (bytes > MAX_RECORD_BYTES) throw tooLarge(bytes);
  addRecord(
    {
      queueOffset,
      bornTimestamp: message.bornTimestamp ?? storeTimestamp,
      storeTimestamp,
      body,
      properties: properties.bytes(),
    },
    builder,
  );
  return true;
}

function tooLarge(bytes: number): LogError {
  return new LogError(
    'LOG_BAD_REQUEST',
    `a message has ${bytes} bytes when it is not compressed, more than a record may have (${MAX_RECORD_BYTES})`,
  );
}

/** Their order is lost on the way. It counts for headers of one name: `TROUPE_HEADER.n` come after the first, by n. */
function inOrder(all: PopMessage['properties']): PopMessage['properties'] {
  const number = (name: string): number => (name.startsWith(HEADER) ? Number(name.slice(HEADER.length)) : -1);
  return all.some(([name]) => name.startsWith(HEADER))
    ? all.sort(([a], [b]) => (number(a) || 0) - (number(b) || 0))
    : all;
}

/** The proxy says of any compressed body that it is gzip, and leaves it as it is. */
function bodyOf({ body, isCompressed }: PopMessage): Buffer {
  return isCompressed ? decompress(body, compressionOf(body) << TYPE_SHIFT) : body;
}

const TYPE_SHIFT = 8;
const LZ4 = { magic: 0x04224d18, type: 1 };
const ZSTD = { magic: 0x28b52ffd, type: 2 };
const ZLIB_TYPE = 3;

function compressionOf(body: Buffer): number {
  const magic = body.length < 4 ? 0 : body.readUInt32BE(0);
  if (magic === LZ4.magic) return LZ4.type;
  return magic === ZSTD.magic ? ZSTD.type : ZLIB_TYPE;
}
