import { sharedBetweenCopies } from './shared-class.js';

/**
 * Config definitions: what a plugin can be told. The same definitions check values, answer
 * `/connector-plugins/{class}/config` and generate documentation.
 */
export type ConfigType =
  | 'BOOLEAN'
  | 'STRING'
  | 'INT'
  | 'LONG'
  | 'DOUBLE'
  | 'LIST'
  | 'CLASS'
  | 'PASSWORD'
  /** `500` (milliseconds), `30 s`, `1h 30min`. */
  | 'DURATION'
  /** `4096` (bytes), `64 kB`, `1.5 GiB`. */
  | 'SIZE'
  /** All keys that begin with its name and a dot: of `headers` the entry `x` is given as `headers.x`. */
  | 'MAP';
export type Importance = 'HIGH' | 'MEDIUM' | 'LOW';
export type ConfigWidth = 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG';

/**
 * BOOLEAN: boolean; INT, DOUBLE: number; LONG: number, beyond 2^53 bigint; DURATION: milliseconds; SIZE: bytes; LIST: string[];
 * PASSWORD: Secret; MAP: entry names to texts, or to Secrets; others: string.
 */
export type ConfigValue =
  | boolean
  | number
  | bigint
  | string
  | readonly string[]
  | Secret
  | ReadonlyMap<string, string | Secret>
  | null;

export interface ConfigKey {
  readonly name: string;
  readonly type: ConfigType;
  readonly documentation: string;
  readonly importance: Importance;
  /** As the user would write it. Absent: the key is required. null: optional without a default. */
  readonly defaultValue?: string | null;
  /** The values allowed; checked, and recommended to user interfaces. */
  readonly allowed?: readonly string[];
  /** Of a STRING: the letters of what is allowed may be large or small; the value is as it stands in `allowed`. */
  readonly anyCase?: boolean;
  /** Of a number; of a DURATION in milliseconds, of a SIZE in bytes. */
  readonly min?: number;
  readonly max?: number;
  /** Of a MAP: PASSWORD when its entries are. Default STRING. */
  readonly entries?: 'STRING' | 'PASSWORD';
  /**
   * Values to offer, by what else is given, beside `allowed`; nobody is held to them. Synchronous and without I/O: it is asked
   * at each validation, also of a configuration with mistakes, whose keys have no value then.
   */
  readonly recommend?: (config: ParsedConfig) => readonly string[];
  /** Whether the key means anything beside what else is given; else user interfaces hide it, and it need not be given. */
  readonly visible?: (config: ParsedConfig) => boolean;
  /** Further check of the parsed value: a reason, or null when it is good. */
  readonly validator?: (value: ConfigValue) => string | null;
  readonly group?: string;
  readonly orderInGroup?: number;
  readonly width?: ConfigWidth;
  readonly displayName?: string;
  /** Keys whose visibility or values depend on this one. */
  readonly dependents?: readonly string[];
  /** Names the key had before, or has upstream. */
  readonly aliases?: readonly string[];
}

export type ConfigDefinition = readonly ConfigKey[];

const MAX_RECOMMENDED = 1000;

export interface ConfigIssue {
  readonly field: string;
  /** As given; null when absent; never the value of a password. */
  readonly value: string | null;
  readonly reason: string;
}

/**
 * The keys of a part within a larger definition, each name with the prefix before it: `under('database.', connection)`. Read them
 * by `ParsedConfig.under`. What the part's own `visible` and `recommend` are given is the part's, too.
 */
export function under(prefix: string, definition: ConfigDefinition): ConfigDefinition {
  const named = (names: readonly string[] | undefined): readonly string[] | undefined =>
    names?.map((name) => prefix + name);
  return definition.map((key) => {
    const { aliases, dependents, recommend, visible } = key;
    return {
      ...key,
      name: prefix + key.name,
      displayName: key.displayName ?? key.name,
      ...(aliases && { aliases: named(aliases) ?? [] }),
      ...(dependents && { dependents: named(dependents) ?? [] }),
      ...(recommend && { recommend: (config: ParsedConfig) => recommend(config.under(prefix)) }),
      ...(visible && { visible: (config: ParsedConfig) => visible(config.under(prefix)) }),
    };
  });
}

/** Whether its values are passwords, which are never shown. */
export function isSecretKey({ type, entries }: Pick<ConfigKey, 'type' | 'entries'>): boolean {
  return type === 'PASSWORD' || (type === 'MAP' && entries === 'PASSWORD');
}

/** Whether a configuration's `field` is given for the key: by its name, an alias, or as an entry of a MAP. */
export function isGivenFor({ name, aliases = [], type }: ConfigKey, field: string): boolean {
  return [name, ...aliases].some((each) =>
    type === 'MAP' ? field.startsWith(`${each}.`) && field.length > each.length + 1 : field === each,
  );
}

/** One that fails hides nothing. */
export function isVisible({ visible }: ConfigKey, config: ParsedConfig): boolean {
  try {
    return visible === undefined || visible(config);
  } catch {
    return true;
  }
}

/** What is allowed and what is recommended. A recommender that fails recommends nothing. */
export function recommendedValues(
  { allowed = [], recommend }: ConfigKey,
  config: ParsedConfig,
): readonly string[] {
  try {
    const more: unknown = recommend?.(config);
    const texts = Array.isArray(more) ? more.filter((item) => typeof item === 'string') : [];
    return [...new Set([...allowed, ...texts])].slice(0, MAX_RECOMMENDED);
  } catch {
    return allowed;
  }
}

/** A password. Prints and serialises as `[hidden]`; `reveal()` is for the one call that needs it. */
export class Secret {
  static {
    sharedBetweenCopies(this, 'Secret');
  }
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[hidden]';
  }
  toJSON(): string {
    return '[hidden]';
  }
}

/**
 * Values checked against a definition. The getters throw a ConfigError for a key that is not of that type, and,
 * but for `stringOrNull` and `list` (empty), for one without a value.
 */
export interface ParsedConfig {
  /** STRING, CLASS. */
  string(key: string): string;
  stringOrNull(key: string): string | null;
  /** INT, LONG. Throws for a LONG beyond 2^53, which would be rounded: see `long`. */
  int(key: string): number;
  /** INT, LONG, of 64 bits. */
  long(key: string): bigint;
  /** DOUBLE, and INT, LONG, rounded beyond 2^53. */
  double(key: string): number;
  boolean(key: string): boolean;
  list(key: string): readonly string[];
  secret(key: string): Secret;
  /** DURATION, in milliseconds. */
  duration(key: string): number;
  /** SIZE, in bytes. */
  size(key: string): number;
  /** MAP of texts; empty where no entry is given. */
  map(key: string): ReadonlyMap<string, string>;
  /** MAP of passwords. */
  secrets(key: string): ReadonlyMap<string, Secret>;
  /** The keys that begin with the prefix, by their names without it: for a part that knows its own keys only, see `under`. */
  under(prefix: string): ParsedConfig;
  /** Whether it has a value, given or by default. */
  has(key: string): boolean;
}
