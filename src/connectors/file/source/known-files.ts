/** What this task knows about files apart from their names: how far each was read, and which are open. */
import type { FileAccess, JsonObject, PluginLogger } from '../../../sdk/index.js';
import type { OpenFiles } from './open-files.js';
import {
  inodeKey,
  sameFile,
  type Content,
  type DurablePosition,
  type Finished,
  type Identity,
} from './origin.js';
import type { SourceNotes } from './source-notes.js';
import type { SourceSettings } from './source-settings.js';

const MAX_KNOWN = 4096;
const MAX_PER_INODE = 4;

/** Shared by the tails of one task. */
export interface TailShared {
  readonly settings: SourceSettings;
  readonly log: PluginLogger;
  readonly files: FileAccess;
  readonly known: KnownFiles;
  readonly open: OpenFiles;
  /** Whether some tail has this path of its own. */
  readonly isFollowed: (path: string) => boolean;
  /** Where reading begins is made durable, or it would be chosen anew at a restart. */
  readonly beginAt: (partition: JsonObject, position: JsonObject) => void;
  /** A file was deleted, and nothing has its path: its position is of no more use. */
  readonly retire: (path: string) => void;
  readonly onOmittedLong: (path: string, position: number) => void;
  readonly notes: SourceNotes;
  /** A warning, not more often than a reader of the log can bear: those of one `key` seldom. */
  readonly say: (key: string, message: string, fields: Record<string, unknown>) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Bounded: the files noted longest ago are forgotten first. */
export class KnownFiles {
  /** By inode. Several, because an inode may be used again; the fingerprint tells them apart. */
  readonly #files = new Map<string, readonly Finished[]>();

  /** By path: those that had it before and are still there, for its positions to say. */
  readonly #finished = new Map<string, readonly Finished[]>();

  note(file: Finished): void {
    const key = inodeKey(file);
    const others = (this.#files.get(key) ?? []).filter(
      (item) => item.head !== file.head || item.position > file.position,
    );
    this.#files.delete(key);
    this.#files.set(key, [...others, file].slice(-MAX_PER_INODE));
    forgetOldest(this.#files);
  }

  noteFinished(path: string, files: readonly Finished[]): void {
    this.#finished.delete(path);
    if (files.length === 0) return;
    this.#finished.set(path, files);
    forgetOldest(this.#finished);
  }

  finished(path: string): readonly Finished[] {
    return this.#finished.get(path) ?? [];
  }

  notePosition(position: DurablePosition): void {
    if (position.origin === null) return;
    const { finished, ...file } = position.origin;
    for (const item of finished ?? []) this.note(item);
    this.note({ ...file, position: position.position });
  }

  /** It was deleted: what has its inode next is another file. */
  forget(file: Identity): void {
    this.#files.delete(inodeKey(file));
  }

  /**
   * Where to go on in an open file, when it was read before under this or another name; else null. `holds`: whether it
   * has what was read then.
   */
  async position(
    file: Identity,
    size: number,
    holds: (content: Content) => Promise<boolean>,
  ): Promise<number | null> {
    let furthest: number | null = null;
    for (const item of this.#files.get(inodeKey(file)) ?? []) {
      if (!sameFile(item, file) || item.position > size || item.position <= (furthest ?? -1)) continue;
      if (await holds(item)) furthest = item.position;
    }
    return furthest;
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > MAX_KNOWN && oldest !== undefined) map.delete(oldest);
}
