/** Which files connectors may touch, as plain data for the threads that ask; plugins/file-access.ts answers. */
import { join } from 'node:path';
import type { Parameters } from './parameters-table.js';

export interface FileRules {
  /** Absolute folders; none: all. */
  readonly allowed: readonly string[];
  /** Never, whatever is allowed. */
  readonly closed: readonly ClosedPath[];
}

export interface ClosedPath {
  /** Absolute: a folder with all that is in it, or a file. */
  readonly path: string;
  /** Whose it is, as in "it belongs to …". */
  readonly owner: string;
}

/** Where the program itself is. */
export interface ProgramFiles {
  readonly folder: string;
  /** That the parameters were read from. */
  readonly configFile: string | null;
}

/** REST may decide what connectors read and write, but neither what the node runs nor what it keeps secret. */
export function fileRules(parameters: Parameters, program: ProgramFiles): FileRules {
  const { storePathRootDir, storePath, connectorsDir, pluginPaths, configProvidersFilePaths } = parameters;
  const closed = (owner: string, ...paths: readonly (string | null)[]): readonly ClosedPath[] =>
    paths.filter((path) => path !== null).map((path) => ({ path, owner }));
  return {
    allowed: parameters.connectorFilePaths,
    closed: [
      ...closed('the plugins of this node (pluginPaths)', ...pluginPaths),
      ...closed('the store of this node', storePathRootDir, storePath),
      ...closed('the connectors of this node (connectorsDir)', connectorsDir),
      ...closed('the secrets of this node (config.providers.file.paths)', ...configProvidersFilePaths),
      ...closed('the program', program.folder, join(program.folder, '..', 'package.json')),
      ...closed('the parameters of this node', program.configFile),
      ...closed('the system', ...(process.platform === 'win32' ? [] : ['/proc', '/sys'])),
    ],
  };
}
