/** From a durable position to the file it belongs to. */
import type { PluginLogger } from '../../../sdk/index.js';
import { statOrNull } from '../fs-calls.js';
import { sameInode, type DurablePosition, type FileOrigin } from './origin.js';
import { beginsAs, locate, rotatedSiblings } from './siblings.js';

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
  log: PluginLogger,
): Promise<Place | null> {
  const { origin, position } = durable;
  const at = await statOrNull(path);
  const isThere = at?.isFile() === true;
  if (origin === null) return isThere && at.size >= position ? { path, position } : null;
  const sameFile = isThere && sameInode(origin, at);
  if (sameFile && at.size >= position && (await beginsAs(origin, path))) return { path, position };
  const elsewhere = sameFile ? null : await locate(origin, path, position);
  if (elsewhere !== null) return { path: elsewhere, position };
  const emptied = sameFile ? path : await rotatedInode(origin, path);
  if (emptied !== null) {
    log.info('the file was emptied and written anew: reading it from its beginning', {
      file: emptied,
      position,
    });
    return { path: emptied, position: 0 };
  }
  if (
    isThere &&
    origin.headBytes >= SAME_CONTENT_BYTES &&
    at.size >= position &&
    (await beginsAs(origin, path))
  ) {
    return { path, position };
  }
  log.warn('the file that was being read is gone; what was not read of it is not known', {
    file: path,
    position,
  });
  return null;
}

/** The same inode with other content under a rotated name: emptied first, then renamed. */
async function rotatedInode(origin: FileOrigin, path: string): Promise<string | null> {
  const siblings = await rotatedSiblings(path);
  return siblings.find(({ stats }) => sameInode(origin, stats))?.path ?? null;
}
