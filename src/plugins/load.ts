import { fileURLToPath } from 'node:url';
import { ConnectError } from '../sdk/errors.js';
import type { Plugin, PluginType } from '../sdk/plugin.js';
import type { CatalogEntry } from './catalog.js';

/** Of this thread. As many as there are plugins that it uses. */
const loaded = new Map<string, Promise<Plugin>>();

/** By URL: what the file of a thread holds itself (scripts/bundle-threads.mjs). Else modules are looked for. */
let provided: Readonly<Record<string, () => Promise<unknown>>> = {};

export function provideModules(modules: typeof provided): void {
  provided = modules;
}

/** What a plugin of each type must have, besides `version` and `config`. */
const METHODS: Readonly<Record<PluginType, readonly string[]>> = {
  source: ['taskConfigs', 'createTask'],
  sink: ['taskConfigs', 'createTask'],
  converter: ['create'],
  header_converter: ['create'],
  transformation: ['create'],
  predicate: ['create'],
  config_provider: ['create'],
};
const CONFIG_TYPES: readonly unknown[] = [
  'BOOLEAN',
  'STRING',
  'INT',
  'LONG',
  'DOUBLE',
  'LIST',
  'CLASS',
  'PASSWORD',
  'DURATION',
  'SIZE',
  'MAP',
];

export type PluginOf<T extends PluginType> = Extract<Plugin, { readonly type: T }>['plugin'];

/** Imports the plugin's module and checks what it exports. Throws ConnectError PLUGIN_LOAD_FAILED with the cause. */
export async function loadPlugin(entry: CatalogEntry): Promise<Plugin> {
  const key = `${entry.type} ${entry.module}#${entry.exportName}`;
  let plugin = loaded.get(key);
  if (plugin === undefined) {
    plugin = importPlugin(entry);
    loaded.set(key, plugin);
    // A file that could not be read may be there at the next try.
    plugin.catch(() => loaded.delete(key));
  }
  return plugin;
}

/** The same, with the type known beforehand. */
export async function loadPluginOf<T extends PluginType>(
  type: T | readonly T[],
  entry: CatalogEntry,
): Promise<PluginOf<T>> {
  const found = await loadPlugin(entry);
  const types: readonly PluginType[] = typeof type === 'string' ? [type] : type;
  if (!types.includes(found.type)) throw failed(entry, `it is a ${found.type}, not a ${types.join(' or ')}`);
  // The type that was just compared tells which plugin it is.
  return found.plugin as PluginOf<T>;
}

async function importPlugin(entry: CatalogEntry): Promise<Plugin> {
  let exported: unknown;
  try {
    const module: unknown = await (provided[entry.module]?.() ?? import(entry.module));
    exported = isObject(module) ? module[entry.exportName] : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw failed(
      entry,
      error instanceof SyntaxError ? (await placeOfSyntaxError(entry)) + reason : reason,
      error,
    );
  }
  const problem = shapeProblem(entry, exported);
  if (problem !== null) throw failed(entry, problem);
  // Its shape has just been checked.
  return exported as Plugin;
}

const CHECK_MS = 5000;

/** Node keeps the place of a syntax error from whoever imports; its own check, which runs nothing, prints it first. */
async function placeOfSyntaxError(entry: CatalogEntry): Promise<string> {
  // A fifth of a megabyte in each thread that loads it, and hardly one needs it.
  const { spawnSync } = await import('node:child_process');
  const file = fileURLToPath(entry.module);
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: CHECK_MS });
  const line =
    stderr.startsWith(file) || stderr.startsWith(entry.module) ? /:(\d+)\n/.exec(stderr)?.[1] : undefined;
  return line === undefined ? '' : `line ${line}: `;
}

function failed(entry: CatalogEntry, reason: string, cause?: unknown): ConnectError {
  return new ConnectError(
    `the plugin ${entry.class} ${entry.version} does not load (${entry.module}): ${reason}`,
    {
      code: 'PLUGIN_LOAD_FAILED',
      cause,
    },
  );
}

function shapeProblem(entry: CatalogEntry, exported: unknown): string | null {
  const what = entry.exportName === 'default' ? 'its default export' : `its export ${entry.exportName}`;
  if (!isObject(exported) || !isObject(exported['plugin'])) return `${what} must be { type, plugin }`;
  if (exported['type'] !== entry.type)
    return `${what} must have the type "${entry.type}", as the manifest says`;
  const { plugin } = exported;
  if (typeof plugin['version'] !== 'string') return 'its "version" must be a text';
  const missing = METHODS[entry.type].find((name) => typeof plugin[name] !== 'function');
  if (missing !== undefined) return `it has no function "${missing}"`;
  if ((entry.type === 'source' || entry.type === 'sink') && plugin['kind'] !== entry.type) {
    return `its "kind" must be "${entry.type}"`;
  }
  const converts = entry.type === 'converter' || entry.type === 'header_converter';
  if (converts && plugin['input'] !== 'text' && plugin['input'] !== 'bytes') {
    return 'its "input" must be "text" or "bytes"';
  }
  return configProblem(plugin['config']);
}

function configProblem(config: unknown): string | null {
  if (!Array.isArray(config)) return 'its "config" must be an array of keys';
  const names = new Set<unknown>();
  for (const key of config as readonly unknown[]) {
    if (!isObject(key) || typeof key['name'] !== 'string')
      return 'each key of its "config" must have a "name"';
    const name = key['name'];
    if (names.has(name)) return `the key "${name}" stands twice in its "config"`;
    names.add(name);
    if (!CONFIG_TYPES.includes(key['type']))
      return `the key "${name}" must have a "type", one of ${CONFIG_TYPES.join(', ')}`;
    if (typeof key['documentation'] !== 'string') return `the key "${name}" must have a "documentation"`;
    const { defaultValue } = key;
    if (defaultValue !== undefined && defaultValue !== null && typeof defaultValue !== 'string') {
      return `the default of the key "${name}" must be a text, as a user would write it, or null`;
    }
  }
  return null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
