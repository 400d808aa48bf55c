/**
 * Passwords do not leave the node: values of keys that a plugin defines as PASSWORD are shown as `[hidden]`, and
 * `[hidden]` sent back means the value that is stored. References such as `${env:DB_PASSWORD}` are shown: they tell
 * where a secret is, not what it is.
 */
import { LRUCache } from 'lru-cache';

import { configuredPlugins, type DefaultConverters } from '../plugins/configured-plugins.js';
import { isReference } from '../core/connectors/secret-references.js';
import { HttpError, type FieldError } from './errors.js';
import { RuntimeFailure, type Call, type Config, type Runtime } from './runtime.js';

export const HIDDEN = '[hidden]';

/** Classes in use on one node. */
const MAX_CLASSES = 500;
const KEEP_MS = 60_000;
const RETRY_MS = 5_000;

const SECRET_NAME =
  /(pass(word|wd|phrase|code)|secret([._-]?key)?|token|credentials?|(api|private)[._-]?key|jaas\.config)$/i;
/** Keys of the runtime, whatever the plugin: what it is called, how it is cut and where its records go. */
const OURS =
  /^(name|connector[.-]class|tasks\.max|max\.tasks|topics?|(transforms|predicates)(\.[^.]+\.(type|class))?|(key|value|header)\.converter|.*plugin\.version|task\.class)$/;
/** The node cannot answer; the plugin may be well. */
const NODE_FAILURE = /^(ACTOR_DOWN|MAILBOX_FULL|ASK_|REMOTE_ERROR|UNKNOWN_MESSAGE|LOG_)/;

/** By its name alone: for keys that no definition describes. */
export function looksSecret(key: string): boolean {
  return SECRET_NAME.test(key);
}

type IsSecret = (key: string) => boolean;

interface KnownKey {
  /** Of a map, with its dot: all keys that begin so. */
  readonly name: string;
  readonly isMap: boolean;
  readonly isSecret: boolean;
}

/** Of one plugin class. */
interface Definitions {
  /** Null while they cannot be read. */
  readonly keys: readonly KnownKey[] | null;
}

export class SecretRules {
  readonly #runtime: Runtime;
  readonly #defaults: DefaultConverters;
  readonly #definitions = new LRUCache<string, Definitions>({ max: MAX_CLASSES, ttl: KEEP_MS });

  constructor(runtime: Runtime, defaults: DefaultConverters) {
    this.#runtime = runtime;
    this.#defaults = defaults;
  }

  /** After plugins were read again. */
  forget(): void {
    this.#definitions.clear();
  }

  /**
   * Which keys of this connector's configuration, and of its tasks', are passwords. Of a plugin that cannot be read
   * (removed, broken, too slow) every key may be one.
   */
  async of(call: Call, config: Config): Promise<IsSecret> {
    const known = new Map<string, boolean>();
    const maps: KnownKey[] = [];
    const unread: string[] = [];
    for (const { prefix, pluginClass, version } of configuredPlugins(config, this.#defaults)) {
      const { keys } = await this.#of(call, pluginClass, version);
      if (keys === null) unread.push(prefix);
      for (const { name, isMap, isSecret } of keys ?? []) {
        if (isMap) maps.push({ name: prefix + name, isMap, isSecret });
        else known.set(prefix + name, isSecret);
      }
    }
    const doubtful = (key: string): boolean =>
      !OURS.test(key) && unread.some((prefix) => key.startsWith(prefix));
    const inSecretMap = (key: string): boolean =>
      maps.some(({ name, isSecret }) => isSecret && key.startsWith(name) && key.length > name.length);
    return (key) => known.get(key) ?? (inSecretMap(key) || looksSecret(key) || doubtful(key));
  }

  async hide(call: Call, config: Config): Promise<Config> {
    return hideWith(await this.of(call, config), config);
  }

  /** Refuses changes of a plugin's class that leave it passwords of another one: it may define these keys as anything. */
  async refuseInherited(call: Call, stored: Config, changes: object, changed: Config): Promise<void> {
    const inherited = Object.entries(stored).filter(
      ([key]) => !Object.hasOwn(changes, key) && pluginOf(key, stored) !== pluginOf(key, changed),
    );
    if (inherited.length === 0) return;
    const isSecret = await this.of(call, stored);
    refuse(
      inherited.filter(([key, value]) => hides(isSecret, key, value)).map(([key]) => ofAnotherPlugin(key)),
    );
  }

  async #of(call: Call, pluginClass: string, version: string | null): Promise<Definitions> {
    const id = `${pluginClass}@${version ?? ''}`;
    const cached = this.#definitions.get(id);
    if (cached !== undefined) return cached;
    const keys = await this.#read(call, pluginClass, version);
    this.#definitions.set(id, { keys }, { ttl: keys === null ? RETRY_MS : KEEP_MS });
    return { keys };
  }

  async #read(call: Call, pluginClass: string, version: string | null): Promise<Definitions['keys']> {
    try {
      const keys = await this.#runtime.pluginConfig(call, pluginClass, version);
      return keys.flatMap(({ name, aliases = [], type, format, secret }) => {
        const isMap = format === 'map';
        return [name, ...aliases].map((each) => ({
          name: isMap ? `${each}.` : each,
          isMap,
          isSecret: type === 'PASSWORD' || secret === true,
        }));
      });
    } catch (error) {
      if (error instanceof RuntimeFailure && !NODE_FAILURE.test(error.code)) return null;
      throw error;
    }
  }
}

export function hideWith(isSecret: IsSecret, config: Config): Config {
  const shown = Object.entries(config).map(([key, value]): [string, string] => [
    key,
    hides(isSecret, key, value) ? HIDDEN : value,
  ]);
  return Object.fromEntries(shown);
}

function hides(isSecret: IsSecret, key: string, value: string): boolean {
  return isSecret(key) && value !== '' && !isReference(value);
}

/** A whole configuration in which `[hidden]` stands for what is stored. Refused where nothing is. */
export function restore(config: Config, stored: Config | undefined): Config {
  const errors: FieldError[] = [];
  const restored = Object.entries(config).map(([key, value]): [string, string] => {
    if (value !== HIDDEN) return [key, value];
    const kept = stored !== undefined && Object.hasOwn(stored, key) ? stored[key] : undefined;
    if (stored === undefined || kept === undefined) errors.push(nothingStored(key));
    else if (pluginOf(key, stored) !== pluginOf(key, config)) errors.push(ofAnotherPlugin(key));
    return [key, kept ?? value];
  });
  refuse(errors);
  return Object.fromEntries(restored);
}

/** The changes without those that say "as it is stored". */
export function restoreChanges(
  changes: Readonly<Record<string, string | null>>,
  stored: Config,
): Readonly<Record<string, string | null>> {
  const kept = Object.entries(changes).filter(([, value]) => value === HIDDEN);
  refuse(kept.filter(([key]) => !Object.hasOwn(stored, key)).map(([key]) => nothingStored(key)));
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== HIDDEN));
}

/** The plugin that a key is written for, by where it stands and by its class. */
function pluginOf(key: string, config: Config): string {
  const [owner] = configuredPlugins(config, {})
    .filter(({ prefix }) => key.startsWith(prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return owner === undefined ? '' : `${owner.prefix} ${owner.pluginClass.trim()}`;
}

export function holdsHidden(config: Config): boolean {
  return Object.values(config).includes(HIDDEN);
}

function nothingStored(field: string): FieldError {
  return {
    field,
    value: HIDDEN,
    reason: '[hidden] keeps the stored value, and none is stored: send the value itself',
  };
}

function ofAnotherPlugin(field: string): FieldError {
  const reason = 'was written for another plugin class: send the value itself, or null to remove it';
  return { field, value: HIDDEN, reason };
}

function refuse(fields: readonly FieldError[]): void {
  if (fields.length === 0) return;
  const list = fields.map((error) => `${error.field}: ${error.reason}`).join('\n');
  throw new HttpError('CONFIG_INVALID', list, { fields });
}
