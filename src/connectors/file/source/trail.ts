/**
 * The bytes before what is read next. They tell a file that was written anew from one that grew also where both begin
 * alike: exports of one table, logs with a long banner.
 */
import { createHash } from 'node:crypto';
import { readAt } from '../fs-calls.js';

const TRAIL_BYTES = 256;
/** So many bytes of 0 may be a hole that is filled later. */
const HOLE = Buffer.alloc(4);

/** What a durable position says of them. */
export type TrailMark = {
  /** Where they end in the file: at the position, or after lines that were read with the one before it. */
  readonly end: number;
  readonly bytes: number;
  readonly hash: string;
};

export class Trail {
  #bytes: Buffer = Buffer.alloc(0);
  #end = 0;

  /** `bytes` stand in the file from `at` on, and end with a whole line. */
  follow(bytes: Buffer, at: number): void {
    const before = at === this.#end && bytes.length < TRAIL_BYTES ? this.#bytes : bytes.subarray(0, 0);
    const last = Buffer.concat([before, bytes.subarray(-TRAIL_BYTES)]).subarray(-TRAIL_BYTES);
    const hole = last.lastIndexOf(HOLE);
    this.#bytes = hole < 0 ? last : last.subarray(hole + HOLE.length);
    this.#end = at + bytes.length;
  }

  /** Reading goes on at `position`, where a line begins. */
  async resume(fd: number, position: number): Promise<void> {
    const bytes = await bytesBefore(fd, position, Math.min(position, TRAIL_BYTES));
    this.forget();
    this.follow(bytes, position - bytes.length);
  }

  forget(): void {
    this.#bytes = this.#bytes.subarray(0, 0);
    this.#end = 0;
  }

  async isIn(fd: number): Promise<boolean> {
    return this.#bytes.equals(await bytesBefore(fd, this.#end, this.#bytes.length));
  }

  /**
   * Where the last line that was read begins, when the bytes before it are still there, and it is not. null: more has
   * changed, or nothing.
   */
  async lastLineGone(fd: number): Promise<number | null> {
    const line = Math.max(this.#bytes.lastIndexOf('\n', -2), this.#bytes.lastIndexOf('\r', -2)) + 1;
    const now = await bytesBefore(fd, this.#end, this.#bytes.length);
    if (line === 0 || now.equals(this.#bytes)) return null;
    if (!now.subarray(0, line).equals(this.#bytes.subarray(0, line))) return null;
    return this.#end - this.#bytes.length + line;
  }

  /** null: nothing is known. */
  get mark(): TrailMark | null {
    const { length } = this.#bytes;
    return length === 0 ? null : { end: this.#end, bytes: length, hash: hashTrail(this.#bytes) };
  }
}

export async function hasTrail(fd: number, { end, bytes, hash }: TrailMark): Promise<boolean> {
  return hashTrail(await bytesBefore(fd, end, bytes)) === hash;
}

/** null when it is of no known form. */
export function trailMark(end: number | null, bytes: number | null, hash: unknown): TrailMark | null {
  if (end === null || bytes === null || typeof hash !== 'string') return null;
  return bytes > TRAIL_BYTES || bytes > end ? null : { end, bytes, hash };
}

async function bytesBefore(fd: number, end: number, count: number): Promise<Buffer> {
  const space = Buffer.alloc(count);
  return count === 0 ? space : space.subarray(0, await readAt(fd, space, 0, count, end - count));
}

function hashTrail(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
