/** Raw configuration → checked values, by a definition. */
import {
  Secret,
  type ConfigDefinition,
  type ConfigIssue,
  type ConfigKey,
  type ConfigType,
  type ConfigValue,
  type ParsedConfig,
} from './config.js';
import { ConfigError } from './errors.js';

const HIDDEN = '[hidden]';
/** The reason of the issue of a key that is missing. */
export const REASON_REQUIRED = 'is required and has no default';
const LIMITS = {
  INT: { min: -0x80000000, max: 0x7fffffff },
  LONG: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
} as const;
const DECIMAL_NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

type Parsed = { readonly value: ConfigValue } | { readonly reason: string };

/**
 * Checks every key of the definition and reports all issues at once. Text is trimmed, passwords are not. Keys that
 * the definition does not know are left alone. A key with an issue has no value in `config`.
 */
export function parseConfig(
  definition: ConfigDefinition,
  raw: Readonly<Record<string, string>>,
): { config: ParsedConfig; issues: ConfigIssue[] } {
  const values = new Map<string, Entry>();
  const issues: ConfigIssue[] = [];
  for (const key of definition) {
    const given = findGiven(key, raw);
    const parsed = parseKey(key, given);
    values.set(key.name, { type: key.type, value: 'value' in parsed ? parsed.value : null });
    if ('value' in parsed) continue;
    const value = given === null ? null : key.type === 'PASSWORD' ? HIDDEN : given.text;
    const as = given === null || given.name === key.name ? '' : ` (it is given as ${given.name})`;
    issues.push({ field: key.name, value, reason: parsed.reason + as });
  }
  return { config: new Values(values), issues };
}

/** Throws one ConfigError that names every issue; `field` is that of the first. */
export function parseConfigOrThrow(
  definition: ConfigDefinition,
  raw: Readonly<Record<string, string>>,
): ParsedConfig {
  const { config, issues } = parseConfig(definition, raw);
  const [first] = issues;
  if (first === undefined) return config;
  throw new ConfigError(issues.map(issueMessage).join('\n'), { field: first.field });
}

/** An issue as one sentence, in Kafka Connect's words. */
export function issueMessage(issue: ConfigIssue): string {
  if (issue.value === null && issue.reason === REASON_REQUIRED) {
    return `Missing required configuration "${issue.field}" which has no default value.`;
  }
  if (issue.value === null) return `Configuration ${issue.field} ${issue.reason}`;
  const value = issue.value.length <= 100 ? issue.value : `${issue.value.slice(0, 100)}…`;
  return `Invalid value ${value} for configuration ${issue.field}: ${issue.reason}`;
}

interface Given {
  readonly name: string;
  readonly text: string;
}

function findGiven(key: ConfigKey, raw: Readonly<Record<string, string>>): Given | null {
  for (const name of [key.name, ...(key.aliases ?? [])]) {
    const text = Object.hasOwn(raw, name) ? raw[name] : undefined;
    if (text !== undefined) return { name, text };
  }
  return null;
}

function parseKey(key: ConfigKey, given: Given | null): Parsed {
  if (given === null) {
    if (key.defaultValue === undefined) return { reason: REASON_REQUIRED };
    if (key.defaultValue === null) return { value: null };
  }
  const text = given?.text ?? key.defaultValue ?? '';
  // Typed as text, but the caller may have had it from anywhere.
  if (typeof text !== 'string') return { reason: 'must be a text' };
  const parsed = parseType(key, text);
  if ('reason' in parsed) return parsed;
  const reason = notAllowed(key, parsed.value) ?? ownReason(key, parsed.value);
  return reason === null ? parsed : { reason };
}

/** What the key's own check says. One that fails refuses the value: nobody knows whether it is good. */
function ownReason(key: ConfigKey, value: ConfigValue): string | null {
  if (key.validator === undefined) return null;
  try {
    const reason: unknown = key.validator(value);
    if (reason === null || reason === undefined || typeof reason === 'string') return reason ?? null;
    return `cannot be checked: its validator must return a reason or null, not a ${typeof reason}`;
  } catch (error) {
    // It may quote what it was given.
    const cause = key.type === 'PASSWORD' || !(error instanceof Error) ? '' : `: ${error.message}`;
    return `cannot be checked, as its validator failed${cause}`;
  }
}

function parseType(key: ConfigKey, text: string): Parsed {
  const trimmed = text.trim();
  switch (key.type) {
    case 'BOOLEAN': {
      const lower = trimmed.toLowerCase();
      return lower === 'true' || lower === 'false'
        ? { value: lower === 'true' }
        : { reason: 'must be true or false' };
    }
    case 'INT':
    case 'LONG': {
      const { min, max } = LIMITS[key.type];
      const low = key.min !== undefined && key.min > min ? key.min : min;
      const high = key.max !== undefined && key.max < max ? key.max : max;
      const value = /^[+-]?\d{1,20}$/.test(trimmed) ? BigInt(trimmed.replace('+', '')) : null;
      if (value === null || value < low || value > high)
        return { reason: `must be a whole number from ${low} to ${high}` };
      return { value: Number.isSafeInteger(Number(value)) ? Number(value) : value };
    }
    case 'DOUBLE': {
      const value = DECIMAL_NUMBER.test(trimmed) ? Number(trimmed) : NaN;
      const inRange =
        Number.isFinite(value) && value >= (key.min ?? -Infinity) && value <= (key.max ?? Infinity);
      return inRange ? { value } : { reason: `must be a number${range(key)}` };
    }
    case 'LIST':
      return { value: trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim()) };
    case 'PASSWORD':
      return { value: new Secret(text) };
    case 'STRING':
      return { value: (key.anyCase === true ? sameLetters(key, trimmed) : undefined) ?? trimmed };
    case 'CLASS':
      return { value: trimmed };
  }
}

function sameLetters({ allowed }: ConfigKey, text: string): string | undefined {
  return allowed?.find((item) => item.toLowerCase() === text.toLowerCase());
}

function range(key: ConfigKey): string {
  if (key.min !== undefined && key.max !== undefined) return ` from ${key.min} to ${key.max}`;
  if (key.min !== undefined) return ` of at least ${key.min}`;
  return key.max === undefined ? '' : ` of at most ${key.max}`;
}

function notAllowed(key: ConfigKey, value: ConfigValue): string | null {
  const { allowed } = key;
  if (allowed === undefined || value === null || value instanceof Secret) return null;
  const items = Array.isArray(value) ? (value as readonly string[]) : [String(value)];
  return items.every((item) => allowed.includes(item)) ? null : `must be one of: ${allowed.join(', ')}`;
}

interface Entry {
  readonly type: ConfigType;
  readonly value: ConfigValue;
}

class Values implements ParsedConfig {
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
  }

  string(key: string): string {
    return this.stringOrNull(key) ?? missing(key);
  }

  stringOrNull(key: string): string | null {
    const value = this.#value(key, ['STRING', 'CLASS']);
    return typeof value === 'string' ? value : null;
  }

  int(key: string): number {
    const value = this.#value(key, ['INT', 'LONG']);
    if (typeof value === 'bigint')
      throw new ConfigError(
        `the configuration "${key}" is ${value}, beyond 2^53: the connector takes none so large`,
        {
          code: 'CONFIG_TOO_LARGE',
          field: key,
        },
      );
    return typeof value === 'number' ? value : missing(key);
  }

  long(key: string): bigint {
    const value = this.#value(key, ['INT', 'LONG']);
    return typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : missing(key);
  }

  double(key: string): number {
    const value = this.#value(key, ['DOUBLE', 'INT', 'LONG']);
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : missing(key);
  }

  boolean(key: string): boolean {
    const value = this.#value(key, ['BOOLEAN']);
    return typeof value === 'boolean' ? value : missing(key);
  }

  list(key: string): readonly string[] {
    const value = this.#value(key, ['LIST']);
    return Array.isArray(value) ? (value as readonly string[]) : [];
  }

  secret(key: string): Secret {
    const value = this.#value(key, ['PASSWORD']);
    return value instanceof Secret ? value : missing(key);
  }

  has(key: string): boolean {
    return (this.#entries.get(key)?.value ?? null) !== null;
  }

  #value(key: string, types: readonly ConfigType[]): ConfigValue {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      throw new ConfigError(`the configuration "${key}" is not defined`, {
        code: 'CONFIG_NOT_DEFINED',
        field: key,
      });
    }
    if (!types.includes(entry.type)) {
      throw new ConfigError(`the configuration "${key}" is a ${entry.type}, not a ${types.join(' or ')}`, {
        code: 'CONFIG_WRONG_TYPE',
        field: key,
      });
    }
    return entry.value;
  }
}

function missing(key: string): never {
  throw new ConfigError(`the configuration "${key}" has no value`, { code: 'CONFIG_NO_VALUE', field: key });
}
