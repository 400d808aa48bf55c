/** Files of a node are for its user alone: configurations with passwords stand in them. Older releases let others read. */
import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const OTHERS = 0o077;
/** With what writing leaves beside them: `.tmp`, `.broken-…`, `.takeover`. */
const IN_OWN_FOLDER = /^(connectorConfig|taskConfig|position|offset|appliedConnectors)\.json|^node\.lock/;
const IN_LOG_FOLDER = /^data\.mdb(-lock)?$|^format$|\.lock(\.|$)/;

export interface Tightened {
  readonly closed: readonly string[];
  /** They could not be closed. */
  readonly open: readonly string[];
}

/** `logFolder` null: the log is in RocketMQ. A folder is closed where it is surely a store's: it holds the log's mark. */
export function closeToOthers(ownFolder: string, logFolder: string | null): Tightened {
  const closed: string[] = [];
  const open: string[] = [];
  const close = (path: string, mode: number): void => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || found.isSymbolicLink() || (found.mode & OTHERS) === 0) return;
    try {
      chmodSync(path, mode);
      closed.push(path);
    } catch {
      // Of another user, or on a disk that takes no writes. One that another node has just removed is no matter.
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) open.push(path);
    }
  };
  const files = (folder: string, names: RegExp): readonly string[] =>
    namesIn(folder).filter((name) => names.test(name));
  for (const name of files(ownFolder, IN_OWN_FOLDER)) close(join(ownFolder, name), 0o600);
  if (logFolder !== null) {
    const found = files(logFolder, IN_LOG_FOLDER);
    for (const name of found) close(join(logFolder, name), 0o600);
    if (found.includes('format')) close(logFolder, 0o700);
  }
  return { closed, open };
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
