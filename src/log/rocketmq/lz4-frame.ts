/** Reads LZ4's frame format. Its checksums are not verified: a message has one over what is compressed. */
const MAGIC = 0x184d2204;
const BLOCK_CHECKSUMS = 1 << 4;
const CONTENT_SIZE = 1 << 3;
const DICTIONARY = 1;
const NOT_COMPRESSED = 0x80000000;
const MIN_MATCH = 4;

/** Throws a RangeError or Error where the frame is damaged, or needs more than `maxBytes`. */
export function decompressLz4Frame(frame: Buffer, maxBytes: number): Buffer {
  if (frame.readUInt32LE(0) !== MAGIC) throw new Error('not an LZ4 frame');
  const flags = frame.readUInt8(4);
  if ((flags & DICTIONARY) !== 0) throw new Error('an LZ4 frame with a dictionary');
  // Flags, block size, the content's size where given, the header's checksum.
  let at = 6 + ((flags & CONTENT_SIZE) === 0 ? 0 : 8) + 1;
  const output = new Output(frame.length * 3, maxBytes);
  for (;;) {
    const word = frame.readUInt32LE(at);
    at += 4;
    if (word === 0) return output.bytes();
    const size = word % NOT_COMPRESSED;
    if (at + size > frame.length) throw new RangeError('an LZ4 block is cut off');
    const block = frame.subarray(at, at + size);
    if (word >= NOT_COMPRESSED) output.append(block, 0, size);
    else decompressBlock(block, output);
    at += size + ((flags & BLOCK_CHECKSUMS) === 0 ? 0 : 4);
  }
}

/** Sequences of literals, and of matches in what was written before. The last one has literals alone. */
function decompressBlock(block: Buffer, output: Output): void {
  let at = 0;
  const length = (start: number): number => {
    let sum = start;
    for (let byte = 255; start === 15 && byte === 255; sum += byte) {
      byte = block.readUInt8(at);
      at += 1;
    }
    return sum;
  };
  while (at < block.length) {
    const token = block.readUInt8(at);
    at += 1;
    const literals = length(token >> 4);
    output.append(block, at, literals);
    at += literals;
    if (at === block.length) return;
    const distance = block.readUInt16LE(at);
    at += 2;
    output.repeat(distance, length(token & 15) + MIN_MATCH);
  }
}

class Output {
  #bytes: Buffer;
  #used = 0;
  readonly #max: number;

  constructor(sizeHint: number, max: number) {
    this.#bytes = Buffer.allocUnsafe(Math.min(max, sizeHint));
    this.#max = max;
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#used);
  }

  append(source: Buffer, start: number, length: number): void {
    if (start + length > source.length) throw new RangeError('LZ4 literals are cut off');
    this.#reserve(length);
    source.copy(this.#bytes, this.#used, start, start + length);
    this.#used += length;
  }

  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.#used) throw new RangeError('an LZ4 match lies outside');
    this.#reserve(length);
    const from = this.#used - distance;
    if (distance >= length) this.#bytes.copyWithin(this.#used, from, from + length);
    // What is copied is being written: a match may repeat itself.
    else for (let i = 0; i < length; i += 1) this.#bytes[this.#used + i] = this.#bytes[from + i] ?? 0;
    this.#used += length;
  }

  #reserve(length: number): void {
    const needed = this.#used + length;
    if (needed <= this.#bytes.length) return;
    if (needed > this.#max) throw new RangeError(`more than ${this.#max} bytes`);
    const larger = Buffer.allocUnsafe(Math.min(this.#max, Math.max(needed, this.#bytes.length * 2)));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}
