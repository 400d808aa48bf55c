import { open, readFile, rename, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkStateFile,
  STATE_FILES,
  StateFileError,
  type StateFile,
} from '../../core/connectors/state-files.js';

/** Configurations hold passwords. */
const PRIVATE = 0o600;

/**
 * The four files on disk. A write goes to a temporary file that is flushed and renamed, so that at any instant
 * the file is either the old one or the new one, whole.
 */
export class StateFiles {
  readonly #dir: string;
  readonly #found = new Set<StateFile>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Whether it was there, and whole, when it was read. */
  found(file: StateFile): boolean {
    return this.#found.has(file);
  }

  path(file: StateFile): string {
    return join(this.#dir, STATE_FILES[file]);
  }

  async write(file: StateFile, content: string): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const path = this.path(file);
    const temporary = `${path}.tmp`;
    const handle = await open(temporary, 'w', PRIVATE);
    try {
      // One that was left by a crash keeps the mode that it has.
      await handle.chmod(PRIVATE);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    const folder = await open(this.#dir, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** What a file holds that can be used, else null. A broken one is set aside under another name, never emptied. */
  async read<T>(
    file: StateFile,
    decode: (content: string) => T,
    onBroken: (message: string) => void,
  ): Promise<T | null> {
    const path = this.path(file);
    let content: string;
    try {
      content = await readFile(path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
    try {
      checkStateFile(content);
      const decoded = decode(content);
      this.#found.add(file);
      return decoded;
    } catch (error) {
      if (!(error instanceof StateFileError)) throw error;
      const aside = `${path}.broken-${new Date().toISOString().replaceAll(':', '')}`;
      await rename(path, aside);
      onBroken(
        `${STATE_FILES[file]} cannot be used, ${error.message}. It was set aside as ${aside}; the log has the truth and the file is written anew.`,
      );
      return null;
    }
  }
}
