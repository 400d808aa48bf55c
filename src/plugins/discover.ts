import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { builtinPlugins } from './builtin.js';
import {
  fullNames,
  shortNames,
  type CatalogEntry,
  type PluginCatalog,
  type PluginProblem,
} from './catalog.js';
import { readPackage, type PackageRead } from './manifest.js';

/** A folder with more entries is surely not one of plugins. */
const MAX_ENTRIES = 10_000;

/**
 * The plugins that come with Troupe and those found under `paths`, each a package or a folder of packages, in this order: of
 * what is there twice the first is used. Reads manifests only, at once: no plugin code runs. What is broken is reported in
 * `problems`; nothing is thrown. A package that two paths lead to is read once.
 */
export function discoverPlugins(paths: readonly string[]): PluginCatalog {
  const packages = new Set<string>();
  const plugins = [...builtinPlugins()];
  const problems: PluginProblem[] = [];
  // Else a package would become every connector of that name, with its secrets: by a greater version, or since a full name
  // goes before a short one.
  const own = new Set(plugins.flatMap((entry) => namesOf(entry).map((name) => called(entry, name))));
  const seen = new Map(plugins.map((entry) => [identity(entry), entry]));
  for (const path of new Set(paths.map((item) => resolve(item)))) {
    const found = readPath(path, packages);
    problems.push(...found.problems);
    for (const entry of found.plugins) {
      const taken = fullNames(entry).find((name) => own.has(called(entry, name)));
      if (taken !== undefined) {
        const reason = `${entry.class} ${entry.version} answers to ${taken}, which comes with Troupe: give it another name`;
        problems.push({ path: entry.location ?? path, reason });
        continue;
      }
      const twin = seen.get(identity(entry));
      if (twin === undefined) {
        seen.set(identity(entry), entry);
        plugins.push(entry);
      } else {
        const where = twin.location ?? 'what comes with Troupe';
        const reason = `${entry.class} ${entry.version} is in ${where} already, which is used: give it another version`;
        problems.push({ path: entry.location ?? path, reason });
      }
    }
  }
  return { plugins, problems };
}

function namesOf(entry: CatalogEntry): readonly string[] {
  return [...fullNames(entry), ...shortNames(entry)];
}

/** `connector.class` finds sources and sinks alike. */
function called({ type }: CatalogEntry, name: string): string {
  return `${type === 'source' || type === 'sink' ? 'connector' : type} ${name}`;
}

function identity(entry: CatalogEntry): string {
  return `${entry.type} ${entry.class} ${entry.version}`;
}

/** `known`: real folders of packages that were read. */
function readPath(path: string, known: Set<string>): PackageRead {
  try {
    if (!statSync(path).isDirectory()) throw new Error('it is not a folder');
    const own = readOnce(path, known);
    if (own !== null) return own;
    const problems: PluginProblem[] = [];
    const packages = packageFolders(path, problems)
      .map((folder) => readOnce(folder, known))
      .filter((found) => found !== null);
    if (packages.length === 0 && problems.length === 0)
      throw new Error('there is no package with "troupe": {"plugins": […]} in its package.json');
    return {
      plugins: packages.flatMap((found) => found.plugins),
      problems: [...problems, ...packages.flatMap((found) => found.problems)],
    };
  } catch (error) {
    return { plugins: [], problems: [problemOf(path, error)] };
  }
}

function readOnce(folder: string, known: Set<string>): PackageRead | null {
  const found = readPackage(folder);
  if (found === null) return null;
  const real = realpathSync(folder);
  if (known.has(real)) return { plugins: [], problems: [] };
  known.add(real);
  return found;
}

/** The folders in it, in order of their names; of scopes such as `@acme` those inside. */
function packageFolders(path: string, problems: PluginProblem[], isScope = false): readonly string[] {
  const names = readdirSync(path).sort();
  if (names.length > MAX_ENTRIES) throw new Error(`it has more than ${MAX_ENTRIES} entries`);
  return names.flatMap((name) => {
    const folder = join(path, name);
    try {
      if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
      return name.startsWith('@') && !isScope ? packageFolders(folder, problems, true) : [folder];
    } catch (error) {
      problems.push(problemOf(folder, error));
      return [];
    }
  });
}

function problemOf(path: string, error: unknown): PluginProblem {
  return { path, reason: error instanceof Error ? error.message : String(error) };
}
