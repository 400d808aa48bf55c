/** A package's manifest, `"troupe": { "plugins": [...] }` in its package.json, checked as what it is: outside input. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

import { PLUGIN_TYPES, type CatalogEntry, type PluginProblem } from './catalog.js';

export interface PackageRead {
  readonly plugins: readonly CatalogEntry[];
  readonly problems: readonly PluginProblem[];
}

const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_PLUGINS = 1000;
const CLASS_NAME = /^[\p{L}\p{N}_$][\p{L}\p{N}_$.@/-]{0,254}$/u;

type Json = Readonly<Record<string, unknown>>;

/** null: the folder is no package with plugins, which is nobody's fault. */
export function readPackage(folder: string): PackageRead | null {
  const path = join(folder, 'package.json');
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) return null;
    if (stat.size > MAX_MANIFEST_BYTES) throw new Error(`it is larger than ${MAX_MANIFEST_BYTES} bytes`);
    const json: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const troupe = isObject(json) ? json['troupe'] : undefined;
    if (troupe === undefined || !isObject(json)) return null;
    if (!isObject(troupe) || !Array.isArray(troupe['plugins']))
      throw new Error('"troupe" must hold an array "plugins"');
    if (troupe['plugins'].length > MAX_PLUGINS) throw new Error(`it lists more than ${MAX_PLUGINS} plugins`);
    return readEntries(folder, path, troupe['plugins'], json['version']);
  } catch (error) {
    return {
      plugins: [],
      problems: [{ path, reason: error instanceof Error ? error.message : String(error) }],
    };
  }
}

function readEntries(
  folder: string,
  path: string,
  entries: readonly unknown[],
  version: unknown,
): PackageRead {
  const plugins: CatalogEntry[] = [];
  const problems: PluginProblem[] = [];
  for (const [i, item] of entries.entries()) {
    try {
      plugins.push(readEntry(folder, item, version));
    } catch (error) {
      const name =
        isObject(item) && typeof item['class'] === 'string' ? ` (${item['class'].slice(0, 100)})` : '';
      problems.push({
        path,
        reason: `plugins[${i}]${name}: ${error instanceof Error ? error.message : String(error)}`,
      });
    }
  }
  return { plugins, problems };
}

function readEntry(folder: string, item: unknown, packageVersion: unknown): CatalogEntry {
  if (!isObject(item)) throw new Error('it must be an object');
  const type = PLUGIN_TYPES.find((known) => known === item['type']);
  if (type === undefined) throw new Error(`"type" must be one of ${PLUGIN_TYPES.join(', ')}`);
  const version = item['version'] ?? packageVersion;
  if (typeof version !== 'string' || !/^[\w.+-]{1,100}$/.test(version))
    throw new Error('"version" must be a version');
  const aliases: readonly unknown[] = Array.isArray(item['aliases']) ? item['aliases'] : [];
  if (item['aliases'] !== undefined && !Array.isArray(item['aliases']))
    throw new Error('"aliases" must be an array');
  const { module, exportName } = moduleOf(folder, item['module']);
  return {
    class: className(item['class'], '"class"'),
    type,
    version,
    aliases: aliases.map((alias) => className(alias, 'each of the "aliases"')),
    module,
    exportName,
    location: folder,
  };
}

function className(value: unknown, what: string): string {
  if (typeof value === 'string' && CLASS_NAME.test(value)) return value;
  throw new Error(`${what} must be a class name: letters, digits and $ _ . - @ /`);
}

function moduleOf(folder: string, value: unknown): { readonly module: string; readonly exportName: string } {
  if (typeof value !== 'string' || value === '')
    throw new Error('"module" must be the path of a module in the package');
  const [path = '', exportName = 'default'] = value.split('#');
  const file = resolve(folder, path);
  if (!isInside(folder, file)) throw outside(value);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw new Error(`its module ${path} is not there`);
  // Through links: the package itself may be one.
  if (!isInside(realpathSync(folder), realpathSync(file))) throw outside(value);
  return { module: pathToFileURL(file).href, exportName };
}

function isInside(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

function outside(path: string): Error {
  return new Error(`"module" must be a path inside the package, which ${path.slice(0, 100)} is not`);
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
