import { Secret, type ConfigType, type ConfigValue, type ParsedConfig } from './config.js';
import { ConfigError } from './errors.js';

/** The values of a configuration that its definition has passed. */
export interface ParsedValue {
  readonly type: ConfigType;
  readonly value: ConfigValue;
}

export class ParsedValues implements ParsedConfig {
  readonly #entries: ReadonlyMap<string, ParsedValue>;
  readonly #prefix: string;

  /** `prefix`: before the names by which it is asked. */
  constructor(entries: ReadonlyMap<string, ParsedValue>, prefix = '') {
    this.#entries = entries;
    this.#prefix = prefix;
  }

  string(key: string): string {
    return this.stringOrNull(key) ?? this.#missing(key);
  }

  stringOrNull(key: string): string | null {
    const value = this.#value(key, ['STRING', 'CLASS']);
    return typeof value === 'string' ? value : null;
  }

  int(key: string): number {
    const value = this.#value(key, ['INT', 'LONG']);
    if (typeof value === 'bigint')
      throw new ConfigError(
        `the configuration "${this.#prefix + key}" is ${value}, beyond 2^53: the connector takes none so large`,
        {
          code: 'CONFIG_TOO_LARGE',
          field: this.#prefix + key,
        },
      );
    return typeof value === 'number' ? value : this.#missing(key);
  }

  long(key: string): bigint {
    const value = this.#value(key, ['INT', 'LONG']);
    return typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : this.#missing(key);
  }

  double(key: string): number {
    const value = this.#value(key, ['DOUBLE', 'INT', 'LONG']);
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : this.#missing(key);
  }

  boolean(key: string): boolean {
    const value = this.#value(key, ['BOOLEAN']);
    return typeof value === 'boolean' ? value : this.#missing(key);
  }

  list(key: string): readonly string[] {
    const value = this.#value(key, ['LIST']);
    return Array.isArray(value) ? (value as readonly string[]) : [];
  }

  secret(key: string): Secret {
    const value = this.#value(key, ['PASSWORD']);
    return value instanceof Secret ? value : this.#missing(key);
  }

  duration(key: string): number {
    const value = this.#value(key, ['DURATION']);
    return typeof value === 'number' ? value : this.#missing(key);
  }

  size(key: string): number {
    const value = this.#value(key, ['SIZE']);
    return typeof value === 'number' ? value : this.#missing(key);
  }

  map(key: string): ReadonlyMap<string, string> {
    const texts = new Map<string, string>();
    for (const [name, value] of this.#mapOf(key)) {
      if (value instanceof Secret) throw wrongType(this.#prefix + key, 'MAP of passwords', 'MAP of texts');
      texts.set(name, value);
    }
    return texts;
  }

  secrets(key: string): ReadonlyMap<string, Secret> {
    const secrets = new Map<string, Secret>();
    for (const [name, value] of this.#mapOf(key)) {
      if (!(value instanceof Secret)) throw wrongType(this.#prefix + key, 'MAP of texts', 'MAP of passwords');
      secrets.set(name, value);
    }
    return secrets;
  }

  under(prefix: string): ParsedConfig {
    return new ParsedValues(this.#entries, this.#prefix + prefix);
  }

  has(key: string): boolean {
    const value = this.#entries.get(this.#prefix + key)?.value ?? null;
    return value instanceof Map ? value.size > 0 : value !== null;
  }

  #mapOf(key: string): ReadonlyMap<string, string | Secret> {
    const value = this.#value(key, ['MAP']);
    return value instanceof Map ? value : new Map();
  }

  #value(key: string, types: readonly ConfigType[]): ConfigValue {
    const field = this.#prefix + key;
    const entry = this.#entries.get(field);
    if (entry === undefined)
      throw new ConfigError(`the configuration "${field}" is not defined`, {
        code: 'CONFIG_NOT_DEFINED',
        field,
      });
    if (!types.includes(entry.type)) throw wrongType(field, entry.type, types.join(' or '));
    return entry.value;
  }

  #missing(key: string): never {
    const field = this.#prefix + key;
    throw new ConfigError(`the configuration "${field}" has no value`, { code: 'CONFIG_NO_VALUE', field });
  }
}

function wrongType(field: string, is: string, wanted: string): ConfigError {
  return new ConfigError(`the configuration "${field}" is a ${is}, not a ${wanted}`, {
    code: 'CONFIG_WRONG_TYPE',
    field,
  });
}
