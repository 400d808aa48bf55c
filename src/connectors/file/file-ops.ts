/** Everything the sink asks of the file system: one call is one step, so that a test can fail or stop at each. */
import { once } from 'node:events';
import * as fs from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { errnoOf, fstat, makeFolders, readAt } from './fs-calls.js';

export interface FileFacts {
  readonly size: number;
  readonly dev: number;
  readonly inode: number;
  readonly isFile: boolean;
}

export interface FileOps {
  /** For reading and appending, created when missing. Wherever the file ends when a write arrives, there it goes. */
  open(path: string): Promise<number>;
  /** Creates or empties. */
  create(path: string): Promise<number>;
  read(fd: number, into: Buffer, position: number): Promise<number>;
  /** All of it at the end, or an error; then some of it may have been written. */
  write(fd: number, data: Buffer): Promise<void>;
  truncate(fd: number, length: number): Promise<void>;
  sync(fd: number): Promise<void>;
  close(fd: number): Promise<void>;
  factsOf(fd: number): Promise<FileFacts>;
  /** null when nothing is there. */
  facts(path: string): Promise<FileFacts | null>;
  /** null when nothing is there. */
  readText(path: string): Promise<string | null>;
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A second name, unless there is a file of that name (EEXIST). Some file systems have none. */
  link(from: string, to: string): Promise<void>;
  /** Nothing there is no error. */
  remove(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
  /** Compresses a file into another, which is on disk when this returns. */
  gzip(from: string, to: string, signal: AbortSignal): Promise<void>;
}

const { O_APPEND, O_RDWR, O_CREAT, O_TRUNC, O_NONBLOCK } = fs.constants;

export const nodeFileOps: FileOps = {
  open: (path) => openFd(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK),
  create: (path) => openFd(path, O_RDWR | O_CREAT | O_TRUNC),
  read: (fd, into, position) => readAt(fd, into, 0, into.length, position),
  async write(fd, data) {
    for (let done = 0; done < data.length;) done += await writeSome(fd, data, done);
  },
  truncate: (fd, length) =>
    call((done) => {
      fs.ftruncate(fd, length, done);
    }),
  sync: (fd) =>
    call((done) => {
      fs.fsync(fd, done);
    }),
  close: (fd) =>
    call((done) => {
      fs.close(fd, done);
    }),
  factsOf: async (fd) => factsFrom(await fstat(fd)),
  async facts(path) {
    const stats = await orNull(fs.promises.stat(path));
    return stats === null ? null : factsFrom(stats);
  },
  readText: (path) => orNull(fs.promises.readFile(path, 'utf8')),
  makeFolder: makeFolders,
  rename: (from, to) => fs.promises.rename(from, to),
  link: (from, to) => fs.promises.link(from, to),
  async remove(path) {
    await orNull(fs.promises.unlink(path));
  },
  async syncFolder(path) {
    // Windows cannot open folders, and orders these changes itself.
    if (process.platform === 'win32') return;
    const fd = await openFd(path, fs.constants.O_RDONLY);
    try {
      await nodeFileOps.sync(fd);
    } finally {
      await nodeFileOps.close(fd);
    }
  },
  async gzip(from, to, signal) {
    const output = fs.createWriteStream(to);
    try {
      await pipeline(fs.createReadStream(from), createGzip(), output, { signal });
    } finally {
      // After an abort it may just be making its file.
      if (!output.closed) await once(output, 'close');
    }
    const fd = await openFd(to, O_RDWR);
    try {
      await nodeFileOps.sync(fd);
    } finally {
      await nodeFileOps.close(fd);
    }
  },
};

function openFd(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, 0o666, (error, fd) => {
      if (error === null) resolve(fd);
      else reject(error);
    });
  });
}

function writeSome(fd: number, data: Buffer, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, data, at, data.length - at, null, (error, written) => {
      if (error === null) resolve(written);
      else reject(error);
    });
  });
}

function call(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

async function orNull<T>(result: Promise<T>): Promise<T | null> {
  try {
    return await result;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function factsFrom(stats: fs.Stats): FileFacts {
  return { size: stats.size, dev: stats.dev, inode: stats.ino, isFile: stats.isFile() };
}
