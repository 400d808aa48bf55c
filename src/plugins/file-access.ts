/** The node's answer to plugins that ask which files they may open. */
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { ClosedPath, FileRules } from '../core/parameters/file-rules.js';
import { listOf, object, text } from '../core/replica/json-shape.js';
import { ConfigError } from '../sdk/errors.js';
import type { FileAccess } from '../sdk/plugin.js';
import { realPath } from '../sdk/real-path.js';
import type { PluginCatalog } from './catalog.js';

export const isFileRules = object<FileRules>({
  allowed: listOf(text),
  closed: listOf(object<ClosedPath>({ path: text, owner: text })),
});

/** `catalog`: a package may be a link to a folder elsewhere, which is code as well. */
export function fileAccess({ allowed, closed }: FileRules, catalog: PluginCatalog): FileAccess {
  const packages = new Set([
    ...catalog.plugins.map(({ location }) => location).filter((location) => location !== null),
    ...catalog.problems.map(({ path }) => path),
  ]);
  const off = [...closed, ...[...packages].map((path) => ({ path, owner: 'a plugin of this node' }))];
  return {
    realPath: (path) => realPath(path),
    async check(path, field) {
      const real = await realPath(path);
      for (const { path: folder, owner } of off) {
        if (isWithin(folder, resolve(path)) || isWithin(await realPath(folder), real)) {
          throw refused(`${shown(path, real)} belongs to ${owner}: choose a file elsewhere`, field);
        }
      }
      // Wherever it stands, a program may import it.
      if (real.split(sep).includes('node_modules')) {
        throw refused(
          `${shown(path, real)} belongs to the code of a program: choose a file elsewhere`,
          field,
        );
      }
      if (allowed.length === 0) return;
      for (const folder of allowed) if (isWithin(await realPath(folder), real)) return;
      throw refused(
        `${shown(path, real)} is in none of the folders that this node allows: take a file below ` +
          `${allowed.join(' or ')}, or add its folder to connector.file.paths`,
        field,
      );
    },
  };
}

/** The folder or file itself, or below it. */
function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function shown(path: string, real: string): string {
  return resolve(path) === real ? real : `${path}, which is ${real},`;
}

function refused(reason: string, field: string): ConfigError {
  return new ConfigError(reason, { code: 'FILE_NOT_ALLOWED', field });
}
