/** Compresses finished pieces one after the other while the sink goes on writing. */
import { dirname } from 'node:path';
import type { PluginLogger } from '../../../sdk/index.js';
import type { FileOps } from '../file-ops.js';

export class Compressor {
  readonly #ops: FileOps;
  readonly #log: PluginLogger;
  readonly #stop = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(ops: FileOps, log: PluginLogger) {
    this.#ops = ops;
    this.#log = log;
  }

  /** `done` is called when the piece is compressed, or gone. After a failure it is tried again at the next start. */
  add(piece: string, done: () => void): void {
    this.#waiting += 1;
    this.#work = this.#work.then(async () => {
      try {
        if (this.#stop.signal.aborted) return;
        await this.#compress(piece);
        done();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const cause = error instanceof Error ? error.message : String(error);
        this.#log.warn('cannot compress a finished file; it will be tried again at the next start', {
          file: piece,
          cause,
        });
      } finally {
        this.#waiting -= 1;
      }
    });
  }

  /** Everything is compressed, or will be at the next start. */
  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  /** What is not finished is done at the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  /** At each instant either the piece or its compressed form is complete. */
  async #compress(piece: string): Promise<void> {
    const ops = this.#ops;
    if ((await ops.facts(piece)) === null) return;
    const target = `${piece}.gz`;
    if ((await ops.facts(target)) === null) {
      const temporary = `${target}.tmp`;
      await ops.gzip(piece, temporary, this.#stop.signal);
      await ops.rename(temporary, target);
      await ops.syncFolder(dirname(target));
    }
    await ops.remove(piece);
  }
}
