/** Notices that another process has committed: file events where there are some, and a slow look where there are none. */
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

export class ChangeWatch {
  readonly #onChange: () => void;
  #watcher: FSWatcher | null = null;
  readonly #timer: NodeJS.Timeout;
  #scheduled = false;

  /** `events`: false where the file system is known to have none. */
  constructor(file: string, checkMs: number, events: boolean, onChange: () => void) {
    this.#onChange = onChange;
    this.#timer = setInterval(onChange, checkMs).unref();
    if (!events) return;
    try {
      this.#watcher = watch(file, { persistent: false }, () => this.#schedule());
      // Out of watches, or a file system that has none: the timer remains.
      this.#watcher.on('error', () => this.#stopWatching());
    } catch {
      this.#watcher = null;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopWatching();
  }

  /** A commit is several writes and events; one look is enough for those that are there together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#onChange();
    });
  }

  #stopWatching(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}
