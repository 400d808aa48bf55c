/** Opens the store's database, and refuses what it cannot trust. A damaged file is never emptied. */
import { randomUUID } from 'node:crypto';
import {
  constants,
  accessSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';

import { LogError } from '../log.js';
import { keepFreedMemory } from './allocator.js';
import { checkDataFile, isNameOf, lostFile, sizeOf } from './data-file.js';
import { toLogError } from './errors.js';
import { FORMAT_VERSION, damaged, decodeNumber, encodeNumbers, metaKey } from './keys.js';

export interface OpenedDatabase {
  readonly root: RootDatabase<Buffer>;
  /** Everything the log holds. */
  readonly data: Database<Buffer>;
  /** One entry, whose version grows with every commit: what makes a commit conditional. */
  readonly version: Database<Buffer>;
  readonly dataFile: string;
  /** Whether the data file still has its name: else what is written is lost. */
  readonly isThere: () => boolean;
  readonly pages: () => Pages;
  readonly close: () => Promise<void>;
  readonly id: string;
}

export interface Pages {
  readonly pageSize: number;
  /** Number of the last one, from 0. */
  readonly last: number;
  /** Those that hold nothing. */
  readonly unused: number;
}

export const VERSION_KEY = 'commits';
export const NO_BYTES = Buffer.alloc(1);
/** What connectors are configured with stands in it, passwords included. */
const PRIVATE = 0o600;
const DATA_FILE = 'data.mdb';
/** Stands beside the data file once that exists, so that a lost data file is noticed. */
const MARK_FILE = 'format';
/** Room for the lock file, which is mapped: on a full disk writing to it would end the process (SIGBUS). */
const LOCK_FILE_ROOM = 1024 * 1024;

/** `mustExist`: it was open in this process before, so that an empty folder is no new log. */
export async function openDatabase(
  dir: string,
  {
    mapSize,
    mustExist = false,
  }: { readonly mapSize?: number | undefined; readonly mustExist?: boolean } = {},
): Promise<OpenedDatabase> {
  const dataFile = join(dir, DATA_FILE);
  const markFile = join(dir, MARK_FILE);
  try {
    if (mustExist && sizeOf(dataFile) === 0) throw lostFile(dataFile, 'LOG_CORRUPT');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    accessSync(dir, constants.R_OK | constants.W_OK);
    checkFiles(dataFile, markFile);
    keepFreedMemory();
    const opened = openFile(dataFile, mapSize);
    try {
      await checkFormat(opened.data, dataFile);
      const id = await idOf(opened.data);
      await opened.version.ifNoExists(VERSION_KEY, () => void opened.version.put(VERSION_KEY, NO_BYTES, 1));
      if (!existsSync(markFile))
        writeFileSync(markFile, `${FORMAT_VERSION}\n`, { flush: true, mode: PRIVATE });
      const file = openSync(dataFile, 'r');
      const close = async (): Promise<void> => {
        await opened.root.close();
        closeSync(file);
      };
      return {
        ...opened,
        dataFile,
        id,
        isThere: () => isNameOf(dataFile, file),
        pages: () => pagesOf(opened),
        close,
      };
    } catch (error) {
      await opened.root.close();
      throw error;
    }
  } catch (error) {
    throw toLogError(error, dataFile);
  }
}

function checkFiles(dataFile: string, markFile: string): void {
  if (sizeOf(dataFile) > 0) {
    // A copy that was put back may come without it.
    if (sizeOf(`${dataFile}-lock`) === 0) checkRoom(dataFile);
    return checkDataFile(dataFile);
  }
  if (existsSync(markFile)) {
    const mark = readFileSync(markFile, 'utf8').trim().slice(0, 20);
    throw new LogError(
      'LOG_CORRUPT',
      `${dataFile} is ${existsSync(dataFile) ? 'empty' : 'missing'}, though ${markFile} says that a log of format ${mark} was here. ` +
        `Restore it from a copy, or remove the whole folder to begin with an empty log`,
    );
  }
  checkRoom(dataFile);
}

function checkRoom(dataFile: string): void {
  const { bavail, bsize } = statfsSync(join(dataFile, '..'));
  if (bavail * bsize < LOCK_FILE_ROOM)
    throw new LogError(
      'LOG_FULL',
      `the disk has no room to create ${dataFile}, or the lock file beside it. Free space there, and start again`,
    );
}

function openFile(
  path: string,
  mapSize: number | undefined,
): Pick<OpenedDatabase, 'root' | 'data' | 'version'> {
  const options = {
    path,
    noSubdir: true,
    permissionsMode: PRIVATE,
    encoding: 'binary' as const,
    // Acknowledged means flushed: with overlapping flushes lmdb answers, and shows the data to readers, before that.
    overlappingSync: false,
    // We batch ourselves; lmdb's own batches fail with a promise that nobody can catch.
    eventTurnBatching: false,
    // Never begin a transaction before all of it was said: a thread that ended in between would leave half of it.
    batchStartThreshold: Number.MAX_SAFE_INTEGER,
    ...(mapSize === undefined ? {} : { mapSize }),
  };
  const root = open<Buffer>(options);
  const data = root.openDB<Buffer>({ name: 'log', encoding: 'binary' });
  const version = root.openDB<Buffer>({ name: 'version', encoding: 'binary', useVersions: true });
  return { root, data, version };
}

async function checkFormat(data: Database<Buffer>, path: string): Promise<void> {
  const stored = data.get(metaKey('format'));
  if (stored === undefined) {
    await data.put(metaKey('format'), encodeNumbers(FORMAT_VERSION));
    return;
  }
  const version = decodeNumber(stored);
  if (version === FORMAT_VERSION) return;
  throw new LogError(
    'LOG_CORRUPT',
    `${path} has format ${version}; this release reads format ${FORMAT_VERSION}. Use the release that wrote it, or another folder`,
  );
}

/** Made by whoever opens the store first with a release that gives one. */
async function idOf(data: Database<Buffer>): Promise<string> {
  const key = metaKey('id');
  if (data.get(key) === undefined)
    await data.ifNoExists(key, () => void data.put(key, Buffer.from(randomUUID())));
  const stored = data.get(key);
  if (stored === undefined) throw damaged("the store's id");
  return stored.toString('utf8');
}

/** Two pages say where the trees begin; lmdb counts the pages of each tree. */
function pagesOf({ data, version }: Pick<OpenedDatabase, 'data' | 'version'>): Pages {
  const stats = data.getStats();
  const trees = [stats, Reflect.get(stats, 'root'), Reflect.get(stats, 'free'), version.getStats()];
  const last = numberIn(stats, 'lastPageNumber');
  const used = trees.reduce<number>((sum, tree) => sum + pagesOfTree(tree), 2);
  return { pageSize: numberIn(stats, 'pageSize'), last, unused: Math.max(0, last + 1 - used) };
}

function pagesOfTree(tree: unknown): number {
  return ['treeBranchPageCount', 'treeLeafPageCount', 'overflowPages'].reduce(
    (sum, name) => sum + numberIn(tree, name),
    0,
  );
}

function numberIn(stats: unknown, name: string): number {
  const value: unknown = typeof stats === 'object' && stats !== null ? Reflect.get(stats, name) : undefined;
  if (typeof value !== 'number') throw new LogError('LOG_IO', `lmdb does not say its ${name}`);
  return value;
}
