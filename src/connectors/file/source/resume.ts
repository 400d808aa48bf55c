/** From a durable position to the file it belongs to. */
import { statOrNull } from '../fs-calls.js';
import type { TailShared } from './known-files.js';
import { isFile, type DurablePosition, type FileOrigin, type Finished } from './origin.js';
import { goesOn, locate, madeAfter, rotatedSiblings, type Surroundings } from './siblings.js';

/** With so many equal first bytes a file counts as the same although its inode differs: it was copied or moved. */
const SAME_CONTENT_BYTES = 256;

export interface Place {
  readonly path: string;
  readonly position: number;
}

/** null: read what has the path now from its beginning, when there is something. */
export async function resumePlace(
  path: string,
  durable: DurablePosition,
  around: Surroundings,
  { log, notes }: Pick<TailShared, 'log' | 'notes'>,
): Promise<Place | null> {
  const { origin, position } = durable;
  const at = await statOrNull(path);
  const isThere = at?.isFile() === true;
  if (origin === null) return isThere && at.size >= position ? { path, position } : null;
  const inPlace = isThere && isFile(origin, at);
  if (inPlace && at.size >= position && (await goesOn(origin, path))) return { path, position };
  const elsewhere = inPlace ? null : await locate(origin, around, position);
  if (elsewhere !== null) return { path: elsewhere, position };
  const emptied = inPlace ? path : await rotatedInode(origin, around);
  if (emptied !== null) {
    log.info(
      'the file was emptied and written anew, or lines that were read have changed: reading it from its beginning',
      {
        file: emptied,
        position,
      },
    );
    return { path: emptied, position: 0 };
  }
  if (
    isThere &&
    origin.headBytes >= SAME_CONTENT_BYTES &&
    at.size >= position &&
    (await goesOn(origin, path))
  ) {
    return { path, position };
  }
  notes.happened('FILE_PASSED_OVER', `${path}, from byte ${position} on: it is gone`);
  log.warn('the file that was being read is gone; what was not read of it is not known', {
    file: path,
    position,
  });
  return firstAfter(origin, around);
}

/** The same inode with other content under a rotated name: emptied first, then renamed. */
async function rotatedInode(origin: FileOrigin, around: Surroundings): Promise<string | null> {
  const { readable } = await rotatedSiblings(around, origin);
  return readable.find(({ stats }) => isFile(origin, stats))?.path ?? null;
}

/** Where a file is gone: the oldest that had the path after it and is still there, under a name that rotation gave it. */
async function firstAfter(origin: FileOrigin, around: Surroundings): Promise<Place | null> {
  if (origin.made === undefined) return null;
  const known: readonly Finished[] = origin.finished ?? [];
  const { readable } = await rotatedSiblings(around, origin);
  const first = madeAfter({ birthtimeMs: origin.made, mtimeMs: 0 }, readable).find(
    ({ stats }) => !known.some((item) => isFile(item, stats)),
  );
  return first === undefined ? null : { path: first.path, position: 0 };
}
