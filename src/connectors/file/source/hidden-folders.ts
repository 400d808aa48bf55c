/** Folders that could not be read when the task started: what is found in them later may have been there. */
import { sep } from 'node:path';
import type { PluginLogger } from '../../../sdk/index.js';
import { statOrNull } from '../fs-calls.js';

/** Clocks of file systems tick slowly; what may be new is. */
const CLOCK_MS = 20;
const MAX_FOLDERS = 1000;

export class HiddenFolders {
  /** Milliseconds since 1970. */
  #startedAt = 0;
  /** By the scan before: those whose files are found now. */
  #before: ReadonlySet<string> = new Set();
  #now = new Set<string>();
  #isFirst = true;

  /** `startedAt`: milliseconds since 1970; null: this is not the first scan. */
  beginScan(startedAt: number | null): void {
    this.#isFirst = startedAt !== null;
    if (startedAt !== null) this.#startedAt = startedAt;
    this.#before = this.#now;
    this.#now = new Set();
  }

  /** `folder` cannot be read. */
  note(folder: string): void {
    if (!this.#isFirst && !isBelow(this.#before, folder)) return;
    if (this.#now.size < MAX_FOLDERS) this.#now.add(folder);
  }

  /** Whether a file that is found now was there at the start. Where its file system does not say when it was made: no. */
  async had(path: string, log: PluginLogger): Promise<boolean> {
    if (!isBelow(this.#before, path)) return false;
    const stats = await statOrNull(path).catch(() => null);
    const made = stats?.birthtimeMs ?? 0;
    if (made <= 0 || made >= this.#startedAt - CLOCK_MS) return false;
    log.warn(
      'a file was there when the task started, in a folder that could not be read then: it is read from its end',
      { file: path },
    );
    return true;
  }
}

function isBelow(folders: ReadonlySet<string>, path: string): boolean {
  if (folders.has(path)) return true;
  for (const folder of folders) if (path.startsWith(`${folder}${sep}`)) return true;
  return false;
}
