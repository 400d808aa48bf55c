/** Bodies that their producer compressed. RocketMQ's Java client does so above 4 KiB, with zlib unless told otherwise. */
import * as zlib from 'node:zlib';
import { LogError, MAX_BATCH_BYTES } from '../log.js';
import { decompressLz4Frame } from './lz4-frame.js';

const TYPE_SHIFT = 8;
const TYPE_MASK = 7;
const LZ4 = 1;
const ZSTD = 2;
const ZLIB = 3;

/** `sysFlag` tells how. A body that would become larger than any record may be is refused. */
export function decompress(body: Buffer, sysFlag: number): Buffer {
  const type = (sysFlag >> TYPE_SHIFT) & TYPE_MASK;
  try {
    switch (type) {
      // 0: a producer from before there was a choice.
      case 0:
      case ZLIB:
        return zlib.inflateSync(body, { maxOutputLength: MAX_BATCH_BYTES });
      case LZ4:
        return decompressLz4Frame(body, MAX_BATCH_BYTES);
      case ZSTD:
        return decompressZstd(body);
      default:
        throw new LogError(
          'LOG_BAD_REQUEST',
          `a message is compressed in a way that this release does not know (type ${type}): let its producer use ZLIB, ZSTD or LZ4`,
        );
    }
  } catch (error) {
    if (error instanceof LogError) throw error;
    throw new LogError(
      'LOG_CORRUPT',
      `the compressed body of a message cannot be read (${error instanceof Error ? error.message : String(error)}): skip the message by an offset behind it`,
      { cause: error },
    );
  }
}

type Decompress = (body: Buffer, options: { readonly maxOutputLength: number }) => Buffer;

function isDecompress(value: unknown): value is Decompress {
  return typeof value === 'function';
}

function decompressZstd(body: Buffer): Buffer {
  // Not in Node 20, whose types are used.
  const found: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  if (!isDecompress(found)) {
    throw new LogError(
      'LOG_BAD_REQUEST',
      `a message is compressed with zstd, which Node ${process.versions.node} cannot read: run Node 22.15 or later, or let its producer use ZLIB or LZ4`,
    );
  }
  return found(body, { maxOutputLength: MAX_BATCH_BYTES });
}
