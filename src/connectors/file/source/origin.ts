/** Which file a position belongs to, whatever name the file has now. */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import type { JsonObject, JsonValue } from '../../../sdk/index.js';
import { readAt } from '../fs-calls.js';
import { hasTrail, trailMark, type TrailMark } from './trail.js';

/** So many first bytes make the fingerprint; fewer while the file is shorter. */
export const HEAD_BYTES = 1024;

/** A file, told apart from others of its time by device and inode. An inode is used again, but not with the same time. */
export type Identity = {
  readonly dev: number;
  readonly inode: number;
  /** When the file was made, in milliseconds since 1970. Absent where that is not known. */
  readonly made?: number;
};

/**
 * A file and its content: the first bytes, and those before what is read next, tell it from a later file with the same
 * inode, and from the same one emptied and written anew. Shared by all positions of one chunk.
 */
export type Content = Identity & {
  /** Hash of the first `headBytes` bytes. */
  readonly head: string;
  readonly headBytes: number;
  /** Absent where nothing was read yet, and in positions that older versions wrote. */
  readonly trail?: TrailMark;
};

export type FileOrigin = Content & {
  /** Files that had this path before and still exist: where reading ended in each. */
  readonly finished?: readonly Finished[];
};

export type Finished = Content & { readonly position: number };

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

/**
 * When a file was made, or null. Where the system cannot tell, Node gives 0 or the time of the last change; so a time
 * that is not before the last change says nothing, as with a file that has just been made.
 */
export function madeAt(stats: Stats): number | null {
  return stats.birthtimeMs > 0 && stats.birthtimeMs < stats.ctimeMs ? stats.birthtimeMs : null;
}

export function sameFile(a: Identity, b: Identity): boolean {
  if (a.inode !== b.inode || a.dev !== b.dev) return false;
  return a.made === undefined || b.made === undefined || a.made === b.made;
}

/** Where it is known when one file was made, the system tells it of the others, too. */
export function isFile(a: Identity, stats: Stats): boolean {
  if (!sameInode(a, stats)) return false;
  return a.made === undefined || stats.birthtimeMs <= 0 || a.made === stats.birthtimeMs;
}

/** For a file that is open: its inode is nobody else's. */
export function sameInode(a: Identity, stats: Stats): boolean {
  return a.inode === stats.ino && a.dev === stats.dev;
}

export function inodeKey(file: Identity): string {
  return `${file.dev}:${file.inode}`;
}

/** The first bytes of an open file, at most `HEAD_BYTES`. */
export async function readHead(fd: number): Promise<Buffer> {
  const head = Buffer.alloc(HEAD_BYTES);
  return head.subarray(0, await readAt(fd, head, 0, HEAD_BYTES, 0));
}

/** Whether an open file holds what was read of it then. `head`: its first bytes, where they are known. */
export async function hasContent(fd: number, expected: Content, head?: Buffer): Promise<boolean> {
  const bytes = head ?? (await readHead(fd));
  if (bytes.length < expected.headBytes) return false;
  if (hashHead(bytes.subarray(0, expected.headBytes)) !== expected.head) return false;
  return expected.trail === undefined || (await hasTrail(fd, expected.trail));
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
  const made = value['made'];
  if (headBytes > HEAD_BYTES) return null;
  const trail = parseTrail(value['trail']);
  return {
    dev,
    inode,
    ...(typeof made === 'number' && made > 0 ? { made } : {}),
    head,
    headBytes,
    ...(trail === null ? {} : { trail }),
  };
}

function parseTrail(value: JsonValue | undefined): TrailMark | null {
  return isObject(value) ? trailMark(count(value['end']), count(value['bytes']), value['hash']) : null;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Inodes of some file systems are larger than 2^53: compared as rounded numbers, with the fingerprint beside them. */
function count(value: JsonValue | undefined): number | null {
  return typeof value === 'number' && value >= 0 && Number.isInteger(value) ? value : null;
}
