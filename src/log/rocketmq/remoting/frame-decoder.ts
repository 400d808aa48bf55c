/** Frames out of a stream of bytes, however it is cut into chunks. */
import { decodeFrame, MAX_RECEIVED_BYTES, type Frame } from './frame.js';

const LENGTH_BYTES = 4;
/** Serialisation type and length of the header. */
const MIN_FRAME_BYTES = 4;

export class FrameDecoder {
  /** Not joined before a frame is complete: a length that lies costs no memory. */
  #chunks: Buffer[] = [];
  #size = 0;
  /** Of the frame that is being received; null: not known yet. */
  #length: number | null = null;

  /** The frames that `chunk` completes. Throws when the bytes are not of this protocol; then the stream is lost. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Frame[] = [];
    for (;;) {
      if (this.#length === null) {
        if (this.#size < LENGTH_BYTES) return frames;
        this.#length = checkedLength(this.#take(LENGTH_BYTES).readInt32BE());
      }
      if (this.#size < this.#length) return frames;
      frames.push(decodeFrame(this.#take(this.#length)));
      this.#length = null;
    }
  }

  #take(length: number): Buffer {
    const first = this.#chunks[0];
    const joined = first !== undefined && first.length >= length ? first : Buffer.concat(this.#chunks);
    const rest = joined === first ? this.#chunks.slice(1) : [];
    if (joined.length > length) rest.unshift(joined.subarray(length));
    this.#chunks = rest;
    this.#size -= length;
    return joined.subarray(0, length);
  }
}

function checkedLength(length: number): number {
  if (length < MIN_FRAME_BYTES || length > MAX_RECEIVED_BYTES)
    throw new Error(`a frame of ${length} bytes; at most ${MAX_RECEIVED_BYTES} are read`);
  return length;
}
