/** Which file a position belongs to, whatever name the file has now. */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import type { JsonObject, JsonValue } from '../../../sdk/index.js';
import { readAt } from '../fs-calls.js';

/** So many first bytes make the fingerprint; fewer while the file is shorter. */
export const HEAD_BYTES = 1024;

/**
 * A file, told apart from others by device and inode, and from a later file with the same inode (or the same one
 * emptied and written anew) by its first bytes. Shared by all positions of one chunk.
 */
export type FileOrigin = {
  readonly dev: number;
  readonly inode: number;
  /** Hash of the first `headBytes` bytes. */
  readonly head: string;
  readonly headBytes: number;
  /** Files that had this path before and still exist: where reading ended in each. */
  readonly finished?: readonly Finished[];
};

export type Finished = {
  readonly dev: number;
  readonly inode: number;
  readonly head: string;
  readonly headBytes: number;
  readonly position: number;
};

export interface DurablePosition {
  readonly position: number;
  /** null: Kafka's FileStreamSource wrote it and knows only the path. */
  readonly origin: FileOrigin | null;
  /** The line before was passed on without its line end: one that follows belongs to it. */
  readonly partial: boolean;
}

export function hashHead(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 24);
}

export function identityOf(stats: Stats): { dev: number; inode: number } {
  return { dev: stats.dev, inode: stats.ino };
}

export function sameInode(a: { dev: number; inode: number }, stats: Stats): boolean {
  return a.inode === stats.ino && a.dev === stats.dev;
}

export function inodeKey(file: { readonly dev: number; readonly inode: number }): string {
  return `${file.dev}:${file.inode}`;
}

/** The first bytes of an open file, at most `HEAD_BYTES`. */
export async function readHead(fd: number): Promise<Buffer> {
  const head = Buffer.alloc(HEAD_BYTES);
  return head.subarray(0, await readAt(fd, head, 0, HEAD_BYTES, 0));
}

/** Whether an open file begins with the bytes that were hashed. */
export function headMatches(
  expected: { readonly head: string; readonly headBytes: number },
  head: Buffer,
): boolean {
  return (
    head.length >= expected.headBytes && hashHead(head.subarray(0, expected.headBytes)) === expected.head
  );
}

/** What stood in durable storage may be ours, Kafka's or broken: null when it is of no use. */
export function parsePosition(value: JsonObject | null): DurablePosition | null {
  if (value === null) return null;
  const position = count(value['position']);
  if (position === null) return null;
  const file = value['file'];
  if (file === undefined) return { position, origin: null, partial: false };
  const origin = parseFile(file);
  if (origin === null) return null;
  const finished =
    isObject(file) && Array.isArray(file['finished']) ? file['finished'].flatMap(parseFinished) : [];
  return {
    position,
    origin: finished.length === 0 ? origin : { ...origin, finished },
    partial: value['partial'] === true,
  };
}

function parseFinished(value: JsonValue): Finished[] {
  const file = parseFile(value);
  const position = isObject(value) ? count(value['position']) : null;
  return file === null || position === null ? [] : [{ ...file, position }];
}

function parseFile(value: JsonValue | undefined): FileOrigin | null {
  if (!isObject(value)) return null;
  const dev = count(value['dev']);
  const inode = count(value['inode']);
  const headBytes = count(value['headBytes']);
  const head = value['head'];
  if (dev === null || inode === null || headBytes === null || typeof head !== 'string') return null;
  return headBytes > HEAD_BYTES ? null : { dev, inode, head, headBytes };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Inodes of some file systems are larger than 2^53: compared as rounded numbers, with the fingerprint beside them. */
function count(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && value >= 0 && Number.isInteger(value) ? value : null;
}
