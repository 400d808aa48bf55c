import type { FileOps } from '#troupe/connectors/file/file-ops.js';
import { nodeFileOps } from '#troupe/connectors/file/file-ops.js';

/** Called before each step with its name and number; what it throws is what the step throws. */
export type Fault = (step: string, number: number) => void;

/** As a dying process leaves it: half of the data was written. */
export class HalfWritten extends Error {}

/**
 * The real file system with a fault before any step. A write may also stop half way. Nothing waits for the disk: what
 * a process wrote outlives it without.
 */
export function faultyOps(fault: Fault): FileOps {
  let number = 0;
  const step = async <T>(name: string, body: () => Promise<T>): Promise<T> => {
    number += 1;
    fault(name, number);
    return body();
  };
  const real = nodeFileOps;
  return {
    open: (path) => step('open', () => real.open(path)),
    create: (path) => step('create', () => real.create(path)),
    read: (fd, into, position) => step('read', () => real.read(fd, into, position)),
    async write(fd, data) {
      try {
        await step('write', () => real.write(fd, data));
      } catch (error) {
        if (error instanceof HalfWritten) await real.write(fd, data.subarray(0, data.length >> 1));
        throw error;
      }
    },
    truncate: (fd, length) => step('truncate', () => real.truncate(fd, length)),
    sync: () => step('sync', () => Promise.resolve()),
    close: (fd) => step('close', () => real.close(fd)),
    factsOf: (fd) => step('factsOf', () => real.factsOf(fd)),
    facts: (path) => step('facts', () => real.facts(path)),
    readText: (path) => step('readText', () => real.readText(path)),
    makeFolder: (path) => step('makeFolder', () => real.makeFolder(path)),
    rename: (from, to) => step('rename', () => real.rename(from, to)),
    link: (from, to) => step('link', () => real.link(from, to)),
    remove: (path) => step('remove', () => real.remove(path)),
    syncFolder: () => step('syncFolder', () => Promise.resolve()),
    async gzip(from, to, signal) {
      try {
        await step('gzip', () => real.gzip(from, to, signal));
      } catch (error) {
        if (error instanceof HalfWritten) await half(from, to);
        throw error;
      }
    },
  };
}

async function half(from: string, to: string): Promise<void> {
  const text = await nodeFileOps.readText(from);
  const fd = await nodeFileOps.create(to);
  await nodeFileOps.write(fd, Buffer.from((text ?? '').slice(0, 5)));
  await nodeFileOps.close(fd);
}

export function errno(code: string): Error {
  return Object.assign(new Error(`${code}: made up`), { code });
}
