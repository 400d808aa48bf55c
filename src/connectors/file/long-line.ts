/** A line longer than allowed, whose end is not known yet: its beginning is kept, the rest is passed over. */
import { wholeCharacters } from './line-cutter.js';

export class LongLine {
  /** Where the line begins in the file. */
  readonly start: number;
  /** null: the line is to be left out. */
  readonly kept: Buffer | null;
  /** Bytes of the file before this were looked at and hold no line end. */
  scanned: number;

  /** `bytes` holds the beginning of the line and at least one byte more than is kept. */
  constructor(
    start: number,
    bytes: Buffer,
    keep: { readonly bytes: number; readonly latin1: boolean } | null,
  ) {
    this.start = start;
    this.scanned = start + bytes.length;
    if (keep === null) this.kept = null;
    else
      this.kept = Buffer.from(
        bytes.subarray(0, keep.latin1 ? keep.bytes : wholeCharacters(bytes, 0, keep.bytes)),
      );
  }
}
