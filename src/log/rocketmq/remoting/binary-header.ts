/** RocketMQ's binary form of a frame's header, which servers use that are set to `rocketmq.serialize.type=ROCKETMQ`. */
import type { Header } from './types.js';

export function readBinaryHeader(bytes: Buffer): Header {
  const reader = new Reader(bytes);
  const code = reader.int16();
  reader.skip(3);
  const opaque = reader.int32();
  const flag = reader.int32();
  const remark = reader.text(reader.int32());
  const end = reader.int32() + reader.position;
  const fields: [string, string][] = [];
  while (reader.position < end) {
    const key = reader.text(reader.int16());
    fields.push([key, reader.text(reader.int32())]);
  }
  return { code, opaque, flag, remark, fields: Object.fromEntries(fields) };
}

/** Reading beyond the end throws. */
class Reader {
  readonly #bytes: Buffer;
  position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.skip(4));
  }

  text(length: number): string {
    const start = this.skip(length);
    return this.#bytes.toString('utf8', start, this.position);
  }

  /** Where it was before. */
  skip(length: number): number {
    const start = this.position;
    if (length < 0 || start + length > this.#bytes.length)
      throw new RangeError(`${length} bytes at ${start} of a header of ${this.#bytes.length}`);
    this.position += length;
    return start;
  }
}
