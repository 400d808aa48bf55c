/** Config providers that are plugins, in the thread that looks something up with them. */
import type { ProviderSetting } from '../core/parameters/provider-settings.js';
import { parseConfigOrThrow } from '../sdk/config-parse.js';
import type { ConfigData, ConfigProviderInstance } from '../sdk/plugin.js';
import { findPlugin, type PluginCatalog } from './catalog.js';
import { loadPluginOf } from './load.js';

export interface ProvidedValue {
  readonly value: string;
  /** Of the monotonic clock, in milliseconds; null: it holds until the thread ends. */
  readonly refreshAt: number | null;
}

export interface Lookup {
  readonly provider: string;
  readonly path: string;
  readonly keys: readonly string[];
}

export interface ConfigProvidersOptions {
  readonly settings: readonly ProviderSetting[];
  readonly catalog: PluginCatalog;
  /** Told of what the node gives a provider: it is to be in no error. */
  readonly onParams: (values: readonly string[]) => void;
  /** Values of which nobody says how long they hold are kept, for the thread of one task. */
  readonly keeps: boolean;
}

const GET_MS = 10_000;
const MAX_KEPT = 1000;
/** Or a task would do nothing but ask. */
const MIN_TTL_MS = 1000;
const ENVIRONMENT = /^\$\{env:([^{}]+)\}$/;

/** Of one thread. */
export class ConfigProviders {
  readonly #options: ConfigProvidersOptions;
  readonly #instances = new Map<string, Promise<ConfigProviderInstance>>();
  /** The oldest is forgotten first. */
  readonly #kept = new Map<string, ProvidedValue>();

  constructor(options: ConfigProvidersOptions) {
    this.#options = options;
  }

  has(provider: string): boolean {
    return this.#options.settings.some(({ name }) => name === provider);
  }

  /** By key; one that is not there is missing. Rejects with what the plugin throws. */
  async values({ provider, path, keys }: Lookup): Promise<ReadonlyMap<string, ProvidedValue>> {
    const found = new Map<string, ProvidedValue>();
    const now = performance.now();
    for (const key of keys) {
      const kept = this.#kept.get(idOf(provider, path, key));
      if (kept !== undefined && (kept.refreshAt === null || kept.refreshAt > now)) found.set(key, kept);
    }
    const missing = keys.filter((key) => !found.has(key));
    if (missing.length === 0) return found;
    const { values, ttlMs } = await this.#get(provider, path, missing);
    const refreshAt = ttlMs === undefined ? null : performance.now() + Math.max(MIN_TTL_MS, ttlMs);
    for (const key of missing) {
      const value = Object.hasOwn(values, key) ? values[key] : undefined;
      if (value === undefined) continue;
      const provided = { value, refreshAt };
      found.set(key, provided);
      if (refreshAt !== null || this.#options.keeps) this.#keep(idOf(provider, path, key), provided);
    }
    return found;
  }

  #keep(id: string, value: ProvidedValue): void {
    this.#kept.delete(id);
    this.#kept.set(id, value);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  async #get(provider: string, path: string, keys: readonly string[]): Promise<ConfigData> {
    const end = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new Error(`it did not answer within ${GET_MS} ms`);
        end.abort(error);
        reject(error);
      }, GET_MS);
    });
    try {
      const instance = await Promise.race([this.#instance(provider), late]);
      // A plugin may throw at once as well.
      const asked = Promise.resolve().then(() => instance.get(path, keys, { signal: end.signal }));
      return checked(await Promise.race([asked, late]));
    } finally {
      clearTimeout(timer);
    }
  }

  #instance(provider: string): Promise<ConfigProviderInstance> {
    const present = this.#instances.get(provider);
    if (present !== undefined) return present;
    const made = this.#create(provider);
    this.#instances.set(provider, made);
    // What could not be made may be made at the next try.
    made.catch(() => this.#instances.delete(provider));
    return made;
  }

  async #create(provider: string): Promise<ConfigProviderInstance> {
    const setting = this.#options.settings.find(({ name }) => name === provider);
    if (setting === undefined) throw new Error('there is no such provider');
    const plugin = await loadPluginOf(
      'config_provider',
      findPlugin(this.#options.catalog, 'config_provider', setting.pluginClass),
    );
    const params = Object.entries(setting.params).map(([key, text]): [string, string] => [
      key,
      fromEnvironment(text),
    ]);
    this.#options.onParams(params.map(([, value]) => value));
    return plugin.create(parseConfigOrThrow(plugin.config, Object.fromEntries(params)));
  }
}

function idOf(provider: string, path: string, key: string): string {
  return JSON.stringify([provider, path, key]);
}

/** So that a token need not stand in a file. */
function fromEnvironment(text: string): string {
  const name = ENVIRONMENT.exec(text.trim())?.[1];
  if (name === undefined) return text;
  const value = process.env[name];
  if (value === undefined) throw new Error(`the environment variable ${name} is not there on this node`);
  return value;
}

/** What a plugin gives is what anybody gives. */
function checked(given: unknown): ConfigData {
  const bad = new Error('it gave no { values, ttlMs }, where values are texts and ttlMs is in milliseconds');
  if (typeof given !== 'object' || given === null) throw bad;
  const { values, ttlMs }: { values?: unknown; ttlMs?: unknown } = given;
  if (typeof values !== 'object' || values === null) throw bad;
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(values)) {
    if (typeof value !== 'string') throw bad;
    texts[key] = value;
  }
  if (ttlMs === undefined || ttlMs === null) return { values: texts };
  if (typeof ttlMs !== 'number' || !(ttlMs >= 0)) throw bad;
  return { values: texts, ttlMs };
}
