/** Raw configuration → checked values, by a definition. */
import {
  isGivenFor,
  isSecretKey,
  isVisible,
  Secret,
  type ConfigDefinition,
  type ConfigIssue,
  type ConfigKey,
  type ConfigValue,
  type ParsedConfig,
} from './config.js';
import { formatDuration, formatSize, parseDuration, parseSize } from './config-units.js';
import { ConfigError } from './errors.js';
import { ParsedValues, type ParsedValue } from './parsed-values.js';

const HIDDEN = '[hidden]';
const NOT_A_TEXT = 'must be a text';
/** The reason of the issue of a key that is missing. */
export const REASON_REQUIRED = 'is required and has no default';
const LIMITS = {
  INT: { min: -0x80000000, max: 0x7fffffff },
  LONG: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
} as const;
const DECIMAL_NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

type Parsed = { readonly value: ConfigValue } | { readonly reason: string };
type Raw = Readonly<Record<string, string>>;

/**
 * Checks every key of the definition and reports all issues at once. Text is trimmed, passwords are not. Keys that
 * the definition does not know are left alone. A key with an issue has no value in `config`.
 */
export function parseConfig(
  definition: ConfigDefinition,
  raw: Readonly<Record<string, string>>,
): { config: ParsedConfig; issues: ConfigIssue[] } {
  const values = new Map<string, ParsedValue>();
  const config = new ParsedValues(values);
  const issues: ConfigIssue[] = [];
  const missing: { readonly key: ConfigKey; readonly at: number }[] = [];
  for (const key of definition) {
    const given = key.type === 'MAP' ? null : findGiven(key, raw);
    const parsed = key.type === 'MAP' ? parseMap(key, raw, issues) : parseKey(key, given);
    values.set(key.name, { type: key.type, value: 'value' in parsed ? parsed.value : null });
    if ('value' in parsed) continue;
    if (given === null && parsed.reason === REASON_REQUIRED) missing.push({ key, at: issues.length });
    const value = given === null ? null : isSecretKey(key) ? HIDDEN : given.text;
    const as = given === null || given.name === key.name ? '' : ` (it is given as ${given.name})`;
    issues.push({ field: key.name, value, reason: parsed.reason + as });
  }
  // Only now is known what else is given.
  const needless = new Set(missing.filter(({ key }) => !isVisible(key, config)).map(({ at }) => issues[at]));
  return { config, issues: issues.filter((issue) => !needless.has(issue)) };
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

/** What is wrong with single entries is said of them, as `issues`. */
function parseMap(key: ConfigKey, raw: Raw, issues: ConfigIssue[]): Parsed {
  const names = [key.name, ...(key.aliases ?? [])];
  const entries = new Map<string, string | Secret>();
  for (const [field, text] of Object.entries<unknown>(raw)) {
    if (!isGivenFor(key, field)) continue;
    if (typeof text !== 'string') {
      issues.push({ field, value: null, reason: NOT_A_TEXT });
      continue;
    }
    const prefix = names.find((name) => field.startsWith(`${name}.`)) ?? key.name;
    const value = isSecretKey(key) ? new Secret(text) : text.trim();
    entries.set(field.slice(prefix.length + 1), value);
    const reason = notAllowed(key, value);
    if (reason !== null) issues.push({ field, value: text, reason });
  }
  if (entries.size === 0 && key.defaultValue === undefined) return { reason: REASON_REQUIRED };
  const reason = ownReason(key, entries);
  return reason === null ? { value: entries } : { reason };
}

function parseKey(key: ConfigKey, given: Given | null): Parsed {
  if (given === null) {
    if (key.defaultValue === undefined) return { reason: REASON_REQUIRED };
    if (key.defaultValue === null) return { value: null };
  }
  const text = given?.text ?? key.defaultValue ?? '';
  // Typed as text, but the caller may have had it from anywhere.
  if (typeof text !== 'string') return { reason: NOT_A_TEXT };
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
    const cause = isSecretKey(key) || !(error instanceof Error) ? '' : `: ${error.message}`;
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
    case 'DURATION':
      return parseUnit(
        key,
        parseDuration(trimmed),
        formatDuration,
        'a duration such as 500 (ms), 30 s or 1h 30min',
      );
    case 'SIZE':
      return parseUnit(key, parseSize(trimmed), formatSize, 'a size such as 4096 (bytes), 64 kB or 16 MiB');
    case 'MAP':
      return { reason: `is given by its entries, as ${key.name}.x` };
  }
}

function parseUnit(
  key: ConfigKey,
  value: number | null,
  format: (value: number) => string,
  what: string,
): Parsed {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = key;
  if (value !== null && value >= min && value <= max) return { value };
  const bounds = [
    ...(min > 0 ? [`at least ${format(min)}`] : []),
    ...(max < Number.MAX_SAFE_INTEGER ? [`at most ${format(max)}`] : []),
  ];
  return { reason: `must be ${what}${bounds.length === 0 ? '' : `, ${bounds.join(' and ')}`}` };
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
  if (allowed === undefined || value === null) return null;
  const items = Array.isArray(value) ? (value as readonly string[]) : [value];
  return items.every((item) => typeof item === 'object' || allowed.includes(String(item)))
    ? null
    : `must be one of: ${allowed.join(', ')}`;
}
