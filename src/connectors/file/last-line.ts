import type { OpenFile } from './open-file.js';

const NEWLINE = 10;

/** Start of a last line that is not ended yet, or the end of the file. */
export async function lastLineStart(file: OpenFile, size: number, maxLineBytes: number): Promise<number> {
  const space = Buffer.alloc(64 * 1024);
  const lowest = Math.max(0, size - maxLineBytes);
  for (let high = size; high > lowest;) {
    const low = Math.max(lowest, high - space.length);
    const bytes = await file.read(space.subarray(0, high - low), low);
    if (bytes === null) return 0;
    const newline = space.subarray(0, bytes).lastIndexOf(NEWLINE);
    if (newline >= 0) return low + newline + 1;
    high = low;
  }
  return lowest === 0 ? 0 : size;
}
