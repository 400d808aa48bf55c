/** The small file beside an output that says how much of it is committed. Replaced as a whole, or not at all. */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { ConnectError, type QueueOffset } from '../../../sdk/index.js';
import type { FileOps } from '../file-ops.js';

/** So many last bytes are fingerprinted. */
const END_BYTES = 1024;
const FORMAT_VERSION = 1;

export interface Progress {
  /** Bytes of the output that are committed. */
  readonly length: number;
  /** Hash of the last committed bytes, at most `END_BYTES`. */
  readonly end: string;
  /** Number the output gets when it is finished, from 1. */
  readonly piece: number;
  /** Milliseconds since 1970 of the first record in the output; null when there is none. */
  readonly openedAt: number | null;
  /** Next offset of each queue. */
  readonly offsets: readonly QueueOffset[];
  /** Names of finished pieces that are still to be compressed. */
  readonly toCompress: readonly string[];
}

export function progressPath(output: string): string {
  return join(dirname(output), `.${basename(output)}.progress.json`);
}

export function hashEnd(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 24);
}

/** The last bytes of a file after more was written to it. */
export function lastBytes(before: Buffer, added: Buffer): Buffer {
  // Copied: `added` is the caller's memory.
  if (added.length >= END_BYTES) return Buffer.from(added.subarray(added.length - END_BYTES));
  const kept = before.subarray(Math.max(0, before.length + added.length - END_BYTES));
  return Buffer.concat([kept, added]);
}

/** The last bytes of the first `length` of a file. */
export async function readEnd(ops: FileOps, fd: number, length: number): Promise<Buffer> {
  const end = Buffer.alloc(Math.min(length, END_BYTES));
  const bytes = await ops.read(fd, end, length - end.length);
  return end.subarray(0, bytes);
}

export async function readProgress(ops: FileOps, output: string): Promise<Progress | null> {
  const path = progressPath(output);
  const text = await ops.readText(path);
  if (text === null) return null;
  const progress = parseProgress(text);
  if (progress !== null) return progress;
  throw new ConnectError(
    `${path} is not a progress file of this version. Put back the one that belongs to ${output}, or delete it: ` +
      `writing then continues behind what is in the output, at the connector's committed offsets.`,
    { code: 'FILE_PROGRESS_BROKEN' },
  );
}

export async function writeProgress(
  ops: FileOps,
  output: string,
  progress: Progress,
  fsync: boolean,
): Promise<void> {
  const path = progressPath(output);
  const temporary = `${path}.tmp`;
  const text = `${JSON.stringify({ formatVersion: FORMAT_VERSION, ...progress }, null, 2)}\n`;
  const fd = await ops.create(temporary);
  try {
    await ops.write(fd, Buffer.from(text), 0);
    if (fsync) await ops.sync(fd);
  } finally {
    await ops.close(fd);
  }
  await ops.rename(temporary, path);
  if (fsync) await ops.syncFolder(dirname(path));
}

function parseProgress(text: string): Progress | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || value['formatVersion'] !== FORMAT_VERSION) return null;
  const { length, end, piece, openedAt, offsets, toCompress } = value;
  if (!isCount(length) || typeof end !== 'string' || !isCount(piece)) return null;
  if (openedAt !== null && !isCount(openedAt)) return null;
  if (!Array.isArray(offsets) || !offsets.every(isQueueOffset)) return null;
  if (
    !Array.isArray(toCompress) ||
    !toCompress.every((name) => typeof name === 'string' && name === basename(name))
  ) {
    return null;
  }
  return { length, end, piece, openedAt, offsets, toCompress };
}

function isQueueOffset(value: unknown): value is QueueOffset {
  return (
    isRecord(value) &&
    typeof value['topic'] === 'string' &&
    isCount(value['queue']) &&
    isCount(value['offset'])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
