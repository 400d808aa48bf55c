import type { Replica } from '../../core/replica/replicated-state.js';
import {
  isNewer,
  restoreEntries,
  type CopyOrigin,
  type Restorable,
  type RestoreEntry,
} from '../../core/connectors/cold-start-state.js';
import {
  decodeConnectors,
  decodeProgress,
  originOf,
  type SavedConfig,
  type StateFile,
} from '../../core/connectors/state-files.js';
import type { StateFiles } from './files.js';

interface Saved<T> {
  readonly origin: CopyOrigin;
  readonly items: readonly T[];
}

/** What the files held when this node started; null: there was no such file, or it cannot be used. */
export interface SavedFiles {
  readonly connectors: Saved<SavedConfig> | null;
  readonly positions: Saved<unknown> | null;
  readonly offsets: Saved<unknown> | null;
}

/** Reads all four, so that a broken one is set aside before it is written over. */
export async function readSaved(files: StateFiles, onBroken: (message: string) => void): Promise<SavedFiles> {
  const read = <T>(file: StateFile, decode: (content: string) => readonly T[]): Promise<Saved<T> | null> =>
    files.read(file, (content) => ({ origin: originOf(content), items: decode(content) }), onBroken);
  await read('tasks', () => []);
  return {
    connectors: await read('connectors', decodeConnectors),
    positions: await read('positions', decodeProgress),
    offsets: await read('offsets', decodeProgress),
  };
}

/** Offers a copy to a state that holds nothing else yet, unless that began from one that is not older. */
export async function offerCopy<S, E extends { readonly type: string }, R>(
  replica: Replica<Restorable<S>, E | RestoreEntry, R>,
  saved: Saved<unknown> | null,
): Promise<void> {
  const { open, origin } = replica.state;
  if (saved === null || !open || (origin !== null && !isNewer(saved.origin, origin))) return;
  for (const entry of restoreEntries(saved.origin, saved.items)) await replica.submit(entry);
}
