/**
 * What plugins there are, as plain data: it is read once from manifests, without running any plugin's code, and sent
 * to the threads, which import what they use.
 */
import { closest, distance } from 'fastest-levenshtein';

import { ConfigError } from '../sdk/errors.js';
import type { PluginType } from '../sdk/plugin.js';
import { compareVersions } from './versions.js';

export const PLUGIN_TYPES: readonly PluginType[] = [
  'source',
  'sink',
  'converter',
  'header_converter',
  'transformation',
  'predicate',
  'config_provider',
];

export interface CatalogEntry {
  readonly class: string;
  readonly type: PluginType;
  readonly version: string;
  readonly aliases: readonly string[];
  /** URL of the module, without a fragment. */
  readonly module: string;
  /** Name of the export that is the plugin. */
  readonly exportName: string;
  /** Folder of its package; null: it came with Troupe. */
  readonly location: string | null;
}

/** A plugin that cannot be offered: reported, not fatal. */
export interface PluginProblem {
  readonly path: string;
  readonly reason: string;
}

export interface PluginCatalog {
  readonly plugins: readonly CatalogEntry[];
  readonly problems: readonly PluginProblem[];
}

/** What Kafka Connect lets one leave out at the end of a class name. */
const SUFFIXES: Readonly<Record<PluginType, readonly string[]>> = {
  source: ['SourceConnector', 'Connector'],
  sink: ['SinkConnector', 'Connector'],
  converter: ['Converter'],
  header_converter: ['HeaderConverter', 'Converter'],
  transformation: ['Transformation'],
  predicate: ['Predicate'],
  config_provider: ['ConfigProvider'],
};

/** Names that select the plugin surely: its class and the aliases of its manifest. */
export function fullNames(entry: Pick<CatalogEntry, 'class' | 'aliases'>): readonly string[] {
  return [entry.class, ...entry.aliases];
}

/** Short names, which count only where a single class has them: the simple class name, also without its suffix. */
export function shortNames(entry: Pick<CatalogEntry, 'class' | 'aliases' | 'type'>): readonly string[] {
  const names = new Set<string>();
  for (const full of fullNames(entry)) {
    const simple = full.slice(full.lastIndexOf('.') + 1);
    names.add(simple);
    for (const suffix of SUFFIXES[entry.type]) {
      if (simple.endsWith(suffix) && simple.length > suffix.length)
        names.add(simple.slice(0, -suffix.length));
    }
  }
  return [...names];
}

/**
 * The plugin of one of the types that answers to the name: the newest version, or the one asked for. Throws
 * ConfigError PLUGIN_NOT_FOUND, PLUGIN_VERSION_NOT_FOUND or PLUGIN_AMBIGUOUS.
 */
export function findPlugin(
  catalog: PluginCatalog,
  type: PluginType | readonly PluginType[],
  name: string,
  version: string | null = null,
): CatalogEntry {
  return find(catalog, typeof type === 'string' ? [type] : type, name.trim(), version?.trim() ?? null);
}

function find(
  catalog: PluginCatalog,
  types: readonly PluginType[],
  name: string,
  version: string | null,
): CatalogEntry {
  const ofType = catalog.plugins.filter((entry) => types.includes(entry.type));
  const full = ofType.filter((entry) => fullNames(entry).includes(name));
  const found = full.length > 0 ? full : ofType.filter((entry) => shortNames(entry).includes(name));
  const classes = [...new Set(found.map((entry) => entry.class))];
  if (classes.length === 0) throw notFound(types, name, ofType);
  if (classes.length > 1) {
    throw new ConfigError(`"${name}" may mean any of ${classes.join(', ')}: use the full name`, {
      code: 'PLUGIN_AMBIGUOUS',
    });
  }
  const [newest] = [...found].sort((a, b) => compareVersions(b.version, a.version));
  const chosen = version === null ? newest : found.find((entry) => entry.version === version);
  if (chosen !== undefined) return chosen;
  throw new ConfigError(
    `${name} has no version ${version ?? ''}: there is ${found.map((entry) => entry.version).join(', ')}`,
    { code: 'PLUGIN_VERSION_NOT_FOUND' },
  );
}

/** By the simple name: the packages of Java's classes are alike, what they do is not. */
function nearestName(name: string, names: readonly string[]): string | null {
  const simple = name.slice(name.lastIndexOf('.') + 1).slice(0, 200);
  // Kafka Connect's transforms for keys and values have one name and two classes.
  const parts = names.filter((each) => each.startsWith(`${simple}$`));
  if (parts.length > 0) return [...new Set(parts)].sort().join(' or ');
  if (names.length === 0) return null;
  const nearest = closest(simple, names);
  return distance(simple, nearest) <= Math.max(2, Math.floor(simple.length / 5)) ? nearest : null;
}

function notFound(
  types: readonly PluginType[],
  name: string,
  candidates: readonly CatalogEntry[],
): ConfigError {
  const nearest = nearestName(
    name,
    candidates.flatMap((entry) => shortNames(entry)),
  );
  const meant = nearest === null ? '' : ` Did you mean ${nearest}?`;
  // Who comes from the JVM names a class that is on no class path here.
  const java = name.includes('.') && nearest === null ? ' Classes of Java are not run here.' : '';
  const classes = [...new Set(candidates.map((entry) => entry.class))].sort();
  const where = ' Packages that have more are found beside Troupe and in pluginPaths.';
  const existing = classes.length === 0 ? 'there is none' : `there is ${classes.join(', ')}`;
  const shown = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  return new ConfigError(
    `there is no ${types.join(' or ')} "${shown}".${meant}${java} Of this kind ${existing}.${where}`,
    {
      code: 'PLUGIN_NOT_FOUND',
    },
  );
}
