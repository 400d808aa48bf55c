/** Kafka Connect's JSON shapes for definitions and validated values. */
import { issueMessage, parseConfig } from '../sdk/config-parse.js';
import {
  isGivenFor,
  isSecretKey,
  isVisible,
  recommendedValues,
  type ConfigDefinition,
  type ConfigIssue,
  type ConfigKey,
  type ParsedConfig,
} from '../sdk/config.js';
import type { RawConfig } from '../sdk/plugin.js';

export interface ConfigKeyInfo {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly default_value: string | null;
  readonly importance: string;
  readonly documentation: string;
  readonly group: string | null;
  readonly width: string;
  readonly display_name: string;
  readonly dependents: readonly string[];
  readonly order_in_group: number;
}

/** The definition of a plugin's own key; not all of it is Kafka Connect's shape. */
export interface PluginKeyInfo extends ConfigKeyInfo {
  /** Other names that a configuration may give it. */
  readonly aliases?: readonly string[];
  /** What a text of it is to be, where Kafka Connect has no such type. */
  readonly format?: 'duration' | 'size' | 'map';
  /** Of a map: its entries are passwords. */
  readonly secret?: boolean;
}

export interface ConfigValueInfo {
  readonly name: string;
  readonly value: string | null;
  readonly recommended_values: readonly string[];
  readonly errors: readonly string[];
  readonly visible: boolean;
}

/** SKIPPED: the configuration has errors, which come first. NOT_SUPPORTED: the connector has no `connect`. */
export type DryRun = 'PASSED' | 'FAILED' | 'SKIPPED' | 'NOT_SUPPORTED';

export interface ConfigInfos {
  /** What the errors were made from; not a part of Kafka Connect's shape. */
  readonly issues: readonly ConfigIssue[];
  /** Keys without effect; not a part of Kafka Connect's shape. */
  readonly warnings: readonly ConfigIssue[];
  /** The keys that are given, and the names of those that they count as; null: nobody knows it. Not a part of that shape. */
  readonly given: Readonly<Record<string, string | null>>;
  readonly name: string;
  readonly error_count: number;
  /** Of a dry run; not a part of Kafka Connect's shape. */
  readonly dry_run?: DryRun;
  readonly groups: readonly string[];
  readonly configs: readonly { readonly definition: ConfigKeyInfo; readonly value: ConfigValueInfo }[];
}

/** Definitions as `/connector-plugins/{class}/config` answers them. Keys of a group are numbered in their order. */
export function configKeyInfos(definition: ConfigDefinition): readonly ConfigKeyInfo[] {
  const inGroup = new Map<string, number>();
  return definition.map((key) => {
    const group = key.group ?? null;
    const running = group === null ? -1 : (inGroup.get(group) ?? 0) + 1;
    if (group !== null) inGroup.set(group, running);
    return keyInfo(key, group, key.orderInGroup ?? running);
  });
}

export function pluginKeyInfos(definition: ConfigDefinition): readonly PluginKeyInfo[] {
  return configKeyInfos(definition).map((info, i) => {
    const key = definition[i];
    const format = key && FORMATS.get(key.type);
    return {
      ...info,
      aliases: key?.aliases ?? [],
      ...(format && { format }),
      ...(key?.type === 'MAP' && isSecretKey(key) && { secret: true }),
    };
  });
}

const FORMATS: ReadonlyMap<string, NonNullable<PluginKeyInfo['format']>> = new Map([
  ['DURATION', 'duration'],
  ['SIZE', 'size'],
  ['MAP', 'map'],
]);

function keyInfo(key: ConfigKey, group: string | null, order: number): ConfigKeyInfo {
  const defaultValue = key.defaultValue ?? null;
  return {
    name: key.name,
    type: FORMATS.has(key.type) ? 'STRING' : key.type,
    required: key.defaultValue === undefined,
    default_value: isSecretKey(key) && defaultValue !== null ? '[hidden]' : defaultValue,
    importance: key.importance,
    documentation: key.documentation,
    group,
    width: key.width ?? 'NONE',
    display_name: key.displayName ?? key.name,
    dependents: key.dependents ?? [],
    order_in_group: order,
  };
}

/** A key that nobody defines, because something is wrong with it. */
function undefinedKey(name: string): ConfigKeyInfo {
  return {
    name,
    type: '',
    required: false,
    default_value: null,
    importance: '',
    documentation: '',
    group: null,
    width: 'NONE',
    display_name: name,
    dependents: [],
    order_in_group: -1,
  };
}

export interface InfosParts {
  readonly name: string;
  readonly definition: ConfigDefinition;
  readonly raw: RawConfig;
  readonly issues: readonly ConfigIssue[];
  readonly warnings: readonly ConfigIssue[];
  readonly dryRun: DryRun | null;
}

/** One row a key: its definition, value and errors. A name that stands twice in `definition` counts as it stands last. */
export function configInfos({ name, definition, raw, issues, warnings, dryRun }: InfosParts): ConfigInfos {
  const keys = new Map(definition.map((key) => [key.name, key]));
  const { config } = parseConfig([...keys.values()], raw);
  // The same key may be checked by several definitions; what is wrong with it is told once.
  const distinct = new Map(issues.map((issue) => [issueMessage(issue), issue]));
  const errors = new Map<string, string[]>();
  for (const [message, { field }] of distinct) errors.set(field, [...(errors.get(field) ?? []), message]);
  const rows = configKeyInfos([...keys.values()]).map((info) => ({
    definition: info,
    value: valueInfo(info.name, keys.get(info.name), raw, errors.get(info.name) ?? [], config),
  }));
  for (const [field, messages] of errors) {
    if (keys.has(field)) continue;
    const key = definition.find((each) => isGivenFor(each, field));
    rows.push({ definition: undefinedKey(field), value: valueInfo(field, key, raw, messages, config) });
  }
  return {
    issues: [...distinct.values()],
    warnings,
    given: countsAs(raw, [...keys.values()]),
    name,
    error_count: distinct.size,
    ...(dryRun && { dry_run: dryRun }),
    groups: [...new Set(rows.map((row) => row.definition.group).filter((group) => group !== null))],
    configs: rows,
  };
}

function countsAs(raw: RawConfig, definition: ConfigDefinition): Readonly<Record<string, string | null>> {
  const names = Object.keys(raw).map((field): [string, string | null] => [
    field,
    definition.find((key) => isGivenFor(key, field))?.name ?? null,
  ]);
  return Object.fromEntries(names);
}

function valueInfo(
  name: string,
  key: ConfigKey | undefined,
  raw: RawConfig,
  errors: readonly string[],
  config: ParsedConfig,
): ConfigValueInfo {
  const names = [name, ...(key?.aliases ?? [])];
  const given = names.find((candidate) => Object.hasOwn(raw, candidate));
  const value = given === undefined ? (key?.defaultValue ?? null) : (raw[given] ?? null);
  return {
    name,
    value: key !== undefined && isSecretKey(key) && value !== null ? '[hidden]' : value,
    recommended_values: key === undefined ? [] : recommendedValues(key, config),
    errors,
    visible: key === undefined || isVisible(key, config),
  };
}
