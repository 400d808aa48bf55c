/** Waits for new data: a timer, ended early by the stop signal or when the system reports a change. */
import { watch, type FSWatcher } from 'node:fs';

const MAX_WATCHED = 256;
/** Changes closer together than this are looked at together. */
const GATHER_MS = 10;

export class Wake {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => {
    this.#end?.();
  };
  #changed = false;
  #namesChanged = false;
  #anyChanged = false;
  #end: (() => void) | null = null;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  /** A hint only: what cannot be watched (limits, network file systems) is found by looking at intervals. */
  watch(folders: readonly string[]): void {
    for (const folder of folders) {
      if (this.#watchers.has(folder) || this.#watchers.size >= MAX_WATCHED) continue;
      try {
        const watcher = watch(folder, { persistent: false }, (event) => {
          this.#changed = true;
          this.#anyChanged = true;
          if (event === 'rename') this.#namesChanged = true;
          this.#end?.();
        });
        watcher.on('error', () => {
          watcher.close();
          this.#watchers.delete(folder);
        });
        this.#watchers.set(folder, watcher);
      } catch {
        // Looked at again at the next scan.
      }
    }
  }

  /** Whether files came, went or were renamed since this was last asked. */
  takeNamesChanged(): boolean {
    const changed = this.#namesChanged;
    this.#namesChanged = false;
    return changed;
  }

  /** Whether anything was reported since this was last asked. */
  takeChanged(): boolean {
    const changed = this.#anyChanged;
    this.#anyChanged = false;
    return changed;
  }

  /** Resolves after `ms`, at the stop signal, or soon after a change. */
  async wait(ms: number): Promise<void> {
    if (this.#signal.aborted) return;
    if (!this.#changed) await this.#sleep(ms);
    if (this.#changed) await this.#sleep(Math.min(ms, GATHER_MS), false);
    this.#changed = false;
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#end?.();
  }

  #sleep(ms: number, endOnChange = true): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        if (!endOnChange && this.#changed && !this.#signal.aborted) return;
        clearTimeout(timer);
        this.#end = null;
        resolve();
      };
      const timer = setTimeout(() => {
        this.#end = null;
        resolve();
      }, ms);
      this.#end = done;
    });
  }
}
