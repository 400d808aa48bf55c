/** The small file beside an output that says how much of it is committed. Replaced as a whole, or not at all. */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { ConfigError, FatalError, type QueueOffset } from '../../../sdk/index.js';
import { errnoOf } from '../fs-calls.js';
import type { FileOps } from '../file-ops.js';

/** So many last bytes are fingerprinted. */
const END_BYTES = 1024;
const FORMAT_VERSION = 1;

/** Files of older versions do not say which life of the topic the offset is of. */
export interface KeptOffset extends QueueOffset {
  /** `SinkTaskContext.topicId`. */
  readonly topicId?: string | null;
}

export interface Progress {
  /** The connector that writes the output; null: an older version, which did not say. */
  readonly connector: string | null;
  /** The start of a task that wrote this. */
  readonly start: string | null;
  /** Bytes of the output that are committed. */
  readonly length: number;
  /** Hash of the last committed bytes, at most `END_BYTES`. */
  readonly end: string;
  /** Number the output gets when it is finished, from 1. */
  readonly piece: number;
  /** Milliseconds since 1970 of the first record in the output; null when there is none. */
  readonly openedAt: number | null;
  /** Next offset of each queue. */
  readonly offsets: readonly KeptOffset[];
  /** Names of finished pieces that are still to be compressed. */
  readonly toCompress: readonly string[];
}

export function progressPath(output: string): string {
  return join(dirname(output), `.${basename(output)}.progress.json`);
}

export function hashEnd(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 24);
}

function shortHash(text: string): string {
  return hashEnd(Buffer.from(text)).slice(0, 8);
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

/** Who writes an output. It may be written by one connector, and by one start of one of its tasks. */
export interface Writer {
  readonly connector: string;
  readonly task: number;
  /** Of this start of the task. */
  readonly start: string;
}

export class ProgressFile {
  readonly path: string;
  readonly #output: string;
  readonly #ops: FileOps;
  readonly #writer: Writer;
  readonly #temporary: string;
  /** The start that wrote what was last read or written here; undefined: nothing was there. */
  #known: string | null | undefined;
  /** The temporary file is not there, or is no second name of the progress file: emptying that would empty it. */
  #cleared = false;

  constructor(output: string, ops: FileOps, writer: Writer) {
    this.path = progressPath(output);
    this.#output = output;
    this.#ops = ops;
    this.#writer = writer;
    // The same at each start, so that few are left behind; not that of others, who may write at this moment.
    this.#temporary = `${this.path}.${shortHash(`${writer.connector}/${writer.task}`)}.tmp`;
  }

  /** null: there is none. ConfigError FILE_IN_USE: it is another connector's. */
  async read(): Promise<Progress | null> {
    const progress = await readProgress(this.#ops, this.#output);
    if (progress !== null) checkOwner(progress, this.#writer.connector, this.#output);
    this.#known = progress === null ? undefined : progress.start;
    return progress;
  }

  /** See `checkMine`. */
  async write(content: Omit<Progress, 'connector' | 'start'>, fsync: boolean): Promise<void> {
    const { connector, start } = this.#writer;
    await this.checkMine();
    await this.#writeTemporary({ connector, start, ...content }, fsync);
    if (this.#known === undefined) await this.#placeNew();
    else await this.#ops.rename(this.#temporary, this.path);
    this.#known = start;
    if (fsync) await this.#ops.syncFolder(dirname(this.path));
  }

  /** ConfigError FILE_IN_USE: another has written it since it was last read or written here. */
  async checkMine(): Promise<void> {
    const there = await readProgress(this.#ops, this.#output);
    // Deleted: what is in the output is known, so it is written again.
    if (there === null || (this.#known !== undefined && there.start === this.#known)) return;
    checkOwner(there, this.#writer.connector, this.#output);
    throw inUse(`${this.#output} is being written by another task of this connector, or by another node`);
  }

  async #writeTemporary(progress: Progress, fsync: boolean): Promise<void> {
    const ops = this.#ops;
    // A killed process may have left one.
    if (!this.#cleared) await ops.remove(this.#temporary);
    this.#cleared = true;
    const text = `${JSON.stringify({ formatVersion: FORMAT_VERSION, ...progress }, null, 2)}\n`;
    const fd = await ops.create(this.#temporary);
    try {
      await ops.write(fd, Buffer.from(text));
      if (fsync) await ops.sync(fd);
    } finally {
      await ops.close(fd);
    }
  }

  /** Of several that begin at the same time one succeeds. */
  async #placeNew(): Promise<void> {
    // Whatever becomes of the link, or of what takes it away.
    this.#cleared = false;
    try {
      await this.#ops.link(this.#temporary, this.path);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') await this.checkMine();
      // This file system has no second names.
      await this.#ops.rename(this.#temporary, this.path);
      return;
    }
    this.#known = this.#writer.start;
    await this.#ops.remove(this.#temporary);
    this.#cleared = true;
  }
}

/** An output has one connector, for ever: two would write over each other. ConfigError FILE_IN_USE. */
export function checkOwner({ connector }: Progress, own: string, output: string): void {
  if (connector === null || connector === own) return;
  throw inUse(
    `${output} is written by the connector "${connector}". Give this one another file, or, if "${connector}" does not ` +
      `write it any more, delete ${progressPath(output)}: writing then continues behind what is in the output, at ` +
      `this connector's committed offsets`,
  );
}

function inUse(reason: string): ConfigError {
  return new ConfigError(reason, { code: 'FILE_IN_USE', field: 'file' });
}

export async function readProgress(ops: FileOps, output: string): Promise<Progress | null> {
  const path = progressPath(output);
  const text = await ops.readText(path);
  if (text === null) return null;
  const progress = parseProgress(text);
  if (progress !== null) return progress;
  throw new FatalError(
    `${path} is not a progress file of this version. Put back the one that belongs to ${output}, or delete it: ` +
      `writing then continues behind what is in the output, at the connector's committed offsets.`,
    { code: 'FILE_PROGRESS_BROKEN' },
  );
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
  if (!Array.isArray(offsets) || !offsets.every(isKeptOffset)) return null;
  if (
    !Array.isArray(toCompress) ||
    !toCompress.every((name) => typeof name === 'string' && name === basename(name))
  ) {
    return null;
  }
  const { connector = null, start = null } = value;
  if (!isTextOrNull(connector) || !isTextOrNull(start)) return null;
  return { connector, start, length, end, piece, openedAt, offsets, toCompress };
}

function isKeptOffset(value: unknown): value is KeptOffset {
  return (
    isRecord(value) &&
    (value['topicId'] === undefined || isTextOrNull(value['topicId'])) &&
    typeof value['topic'] === 'string' &&
    isCount(value['queue']) &&
    isCount(value['offset'])
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextOrNull(value: unknown): value is string | null {
  return typeof value === 'string' || value === null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
