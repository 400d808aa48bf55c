/** A path that was given has no file: that is said. */
import { dirname } from 'node:path';
import { statOrNull } from '../fs-calls.js';
import type { TailShared } from './known-files.js';

/** Longer than a rotation takes. */
const LONG_AWAY_MS = 60_000;

export class Absence {
  readonly #path: string;
  readonly #shared: Pick<TailShared, 'say' | 'notes' | 'now'>;
  #since: number | null = null;

  constructor(path: string, shared: Pick<TailShared, 'say' | 'notes' | 'now'>) {
    this.#path = path;
    this.#shared = shared;
  }

  /** Said at once of what was never there, else when it stays away. */
  async noticed(wasThere: boolean): Promise<void> {
    const now = this.#shared.now();
    this.#since ??= wasThere ? now : -Infinity;
    if (now - this.#since < LONG_AWAY_MS) return;
    const isFolder = (await statOrNull(dirname(this.#path)))?.isDirectory() === true;
    this.#shared.notes.begins('FILE_MISSING', this.#path);
    this.#shared.say(
      `missing ${this.#path}`,
      `${isFolder ? 'the file' : 'the folder of the file'} does not exist: waiting for it`,
      { file: this.#path },
    );
  }

  over(): void {
    this.#since = null;
    this.#shared.notes.ends('FILE_MISSING', this.#path);
  }
}
