/** References to what plugins provide, beside those that the node looks up itself. */
import {
  resolveReferences,
  type Config,
  type ResolvedConfig,
  type SecretReference,
} from '../core/connectors/secret-references.js';
import type { PluginCatalog } from '../plugins/catalog.js';
import { ConfigProviders, type ProvidedValue } from '../plugins/config-providers.js';
import { hideSecrets, rememberSecrets } from './kernel/known-secrets.js';
import { resolveSecrets, scopeCheck, type SecretProviders } from './secret-providers.js';

export interface ResolvedByPlugins extends ResolvedConfig {
  /** When a value may be another one, by the monotonic clock in milliseconds; null: none says so. */
  readonly refreshAt: number | null;
}

type Found = { readonly value: ProvidedValue } | { readonly problem: string };

/** Of one thread. */
export class PluginSecrets {
  readonly #settings: SecretProviders;
  readonly #catalog: () => PluginCatalog;
  readonly #keeps: boolean;
  #providers: ConfigProviders | null = null;

  /** `catalog` is asked for when something is to be looked up. `keeps`: the thread is that of one task. */
  constructor(settings: SecretProviders, catalog: () => PluginCatalog, keeps: boolean) {
    this.#settings = settings;
    this.#catalog = catalog;
    this.#keeps = keeps;
  }

  /** Whether the configuration refers to what a plugin provides. */
  isReferredTo(written: Config): boolean {
    return this.#references(written).length > 0;
  }

  async resolve(connector: string, written: Config): Promise<ResolvedByPlugins> {
    const found = await this.#look(connector, this.#references(written));
    const times: number[] = [];
    const resolved = resolveSecrets(connector, written, this.#settings, ({ text }) => {
      const one = found.get(text);
      if (one === undefined) return null;
      if ('problem' in one) throw new Error(one.problem);
      if (one.value.refreshAt !== null) times.push(one.value.refreshAt);
      return one.value.value;
    });
    return { ...resolved, refreshAt: times.length === 0 ? null : Math.min(...times) };
  }

  #references(written: Config): readonly SecretReference[] {
    const plugins = this.#settings.plugins ?? [];
    const references = new Map<string, SecretReference>();
    if (plugins.length === 0) return [];
    resolveReferences(written, (reference) => {
      if (plugins.some(({ name }) => name === reference.provider)) references.set(reference.text, reference);
      return null;
    });
    return [...references.values()];
  }

  /** By the text of the reference. All keys of a path are asked for at once. */
  async #look(
    connector: string,
    references: readonly SecretReference[],
  ): Promise<ReadonlyMap<string, Found>> {
    const found = new Map<string, Found>();
    const groups = new Map<string, SecretReference[]>();
    const checkScope = scopeCheck(connector, this.#settings);
    for (const reference of references) {
      const { provider, path, key, text } = reference;
      try {
        checkScope(provider, scopedName(path, key));
        const group = JSON.stringify([provider, path]);
        groups.set(group, [...(groups.get(group) ?? []), reference]);
      } catch (error) {
        found.set(text, { problem: messageOf(error) });
      }
    }
    await Promise.all([...groups.values()].map((group) => this.#lookGroup(group, found)));
    return found;
  }

  async #lookGroup(group: readonly SecretReference[], found: Map<string, Found>): Promise<void> {
    const [{ provider, path } = { provider: '', path: '' }] = group;
    try {
      const values = await this.#ofThread().values({ provider, path, keys: group.map(({ key }) => key) });
      for (const { text, key } of group) {
        const value = values.get(key);
        const problem = `is not there: ${provider} has no key ${key}${path === '' ? '' : ` at ${path}`}`;
        found.set(text, value === undefined ? { problem } : { value });
      }
    } catch (error) {
      const problem = `cannot be looked up: ${hideSecrets(messageOf(error), MAX_MESSAGE)}`;
      for (const { text } of group) found.set(text, { problem });
    }
  }

  #ofThread(): ConfigProviders {
    return (this.#providers ??= new ConfigProviders({
      settings: this.#settings.plugins ?? [],
      catalog: this.#catalog(),
      onParams: rememberSecrets,
      keeps: this.#keeps,
    }));
  }
}

/** One name for one thing, so that no other spelling of a path leads around a scope. */
function scopedName(path: string, key: string): string {
  const odd = [path, key].some(
    (part) =>
      /[%\\?#]|\s$|^\s/.test(part) || part.split('/').some((segment) => segment === '.' || segment === '..'),
  );
  if (odd)
    throw new Error(
      'may not be used: paths and keys have no %, \\, ?, #, blanks around them, nor . and .. as a part',
    );
  const plain = path.replace(/\/+/g, '/').replace(/^\/|\/$/g, '');
  return plain === '' ? key : `${plain}:${key}`;
}

const MAX_MESSAGE = 500;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
