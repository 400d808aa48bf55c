import { sharedBetweenCopies } from './shared-class.js';

/**
 * Config definitions: what a plugin can be told. The same definitions check values, answer
 * `/connector-plugins/{class}/config` and generate documentation.
 */
export type ConfigType = 'BOOLEAN' | 'STRING' | 'INT' | 'LONG' | 'DOUBLE' | 'LIST' | 'CLASS' | 'PASSWORD';
export type Importance = 'HIGH' | 'MEDIUM' | 'LOW';
export type ConfigWidth = 'NONE' | 'SHORT' | 'MEDIUM' | 'LONG';

/** BOOLEAN: boolean; INT, DOUBLE: number; LONG: number, beyond 2^53 bigint; LIST: string[]; PASSWORD: Secret; others: string. */
export type ConfigValue = boolean | number | bigint | string | readonly string[] | Secret | null;

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
  readonly min?: number;
  readonly max?: number;
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

export interface ConfigIssue {
  readonly field: string;
  /** As given; null when absent; never the value of a password. */
  readonly value: string | null;
  readonly reason: string;
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
  /** Whether it has a value, given or by default. */
  has(key: string): boolean;
}
