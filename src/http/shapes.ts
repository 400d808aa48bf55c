/** Kafka Connect's JSON shapes of connectors, tasks and plugins. */
import type { ConfigInfos, PluginInfo, PluginListing } from '../actors/config-sync/protocol.js';
import type { ConnectorEntry } from '../core/model.js';
import { compareVersions } from '../plugins/versions.js';
import type { FieldError } from './errors.js';
import { shortened } from './names.js';
import type { Config } from './runtime.js';
import { HIDDEN, looksSecret } from './secrets.js';
import type { ConnectorType } from './status.js';

export interface ConnectorInfo {
  readonly name: string;
  readonly config: Config;
  readonly tasks: readonly { readonly connector: string; readonly task: number }[];
  readonly type: ConnectorType;
}

/** `config` is the entry's with its passwords hidden. A stopped connector has no tasks. */
export function connectorInfo(entry: ConnectorEntry, config: Config, type: ConnectorType): ConnectorInfo {
  return {
    name: entry.name,
    config,
    tasks: taskConfigs(entry).map((_, task) => ({ connector: entry.name, task })),
    type,
  };
}

export function taskConfigs(entry: ConnectorEntry): readonly Config[] {
  return entry.targetState === 'STOPPED' ? [] : (entry.tasks?.configs ?? []);
}

/** As Kafka Connect has them: a task's class is named after its connector's. */
export function shownTaskConfigs(entry: ConnectorEntry): readonly Config[] {
  const taskClass = classOf(entry.config).replace(/(?:Connector)?$/, 'Task');
  return taskConfigs(entry).map((config) => ({ 'task.class': taskClass, ...config }));
}

export type TypeOf = (config: Config) => ConnectorType;

/** What its configuration makes of a connector; `version` null: nothing of that kind is installed here. */
export interface ConnectorKind {
  readonly type: ConnectorType;
  readonly version: string | null;
}

export type KindOf = (config: Config) => ConnectorKind;

/** The version is the one that a start would take: that of the configuration, or the newest. */
export function connectorKinds(listing: PluginListing): KindOf {
  const typeOf = connectorTypes(listing);
  const versions = new Map<string, string[]>();
  for (const { class: name, type, version, aliases = [] } of listing.plugins) {
    if (type !== 'source' && type !== 'sink') continue;
    for (const each of new Set([name, ...aliases]))
      versions.set(each, [...(versions.get(each) ?? []), version].sort(compareVersions));
  }
  return (config) => {
    const type = typeOf(config);
    const known = type === 'unknown' ? [] : (versions.get(classOf(config)) ?? []);
    const asked = config['connector.plugin.version']?.trim();
    const version = asked === undefined || asked === '' ? known.at(-1) : known.find((each) => each === asked);
    return { type, version: version ?? null };
  };
}

function classOf(config: Config): string {
  return (config['connector.class'] ?? config['connector-class'] ?? '').trim();
}

/** Finds a connector's type by the class, or another name of it, that its configuration gives. */
export function connectorTypes(listing: PluginListing): TypeOf {
  const types = new Map<string, ConnectorType>();
  const connectors: { name: string; type: ConnectorType; aliases: readonly string[] }[] = [];
  for (const { class: name, type, aliases = [] } of listing.plugins) {
    if (type === 'source' || type === 'sink') connectors.push({ name, type, aliases });
  }
  for (const { type, aliases } of connectors) {
    for (const alias of aliases) {
      const other = types.get(alias);
      // A short name that a source and a sink share names neither.
      types.set(alias, other === undefined || other === type ? type : 'unknown');
    }
  }
  for (const { name, type } of connectors) types.set(name, type);
  return (config) => types.get(classOf(config)) ?? 'unknown';
}

export function pluginInfo(plugin: PluginInfo): PluginInfo {
  return { class: plugin.class, type: plugin.type, version: plugin.version };
}

export interface ShownInfos extends Omit<ConfigInfos, 'issues' | 'given' | 'warnings'> {
  /** Ours: keys without effect. Left out when there are none. */
  readonly warnings?: readonly { readonly field: string; readonly reason: string }[];
}

/** What `validate` found, in Kafka Connect's shape and without the passwords that were sent. */
export function hiddenInfos({
  name,
  error_count,
  dry_run,
  warnings,
  groups,
  configs,
}: ConfigInfos): ShownInfos {
  const hidden = configs.map((row) => {
    const secret = secretOf(row);
    if (secret === null) return row;
    const errors = row.value.errors.map((error) => without(secret, error));
    return { ...row, value: { ...row.value, value: HIDDEN, errors } };
  });
  return {
    name,
    error_count,
    ...(dry_run && { dry_run }),
    ...(warnings.length > 0 && { warnings: warnings.map(({ field, reason }) => ({ field, reason })) }),
    groups,
    configs: hidden,
  };
}

export function fieldErrors({ issues, configs }: ConfigInfos): readonly FieldError[] {
  const secrets = new Map(configs.map((row) => [row.value.name, secretOf(row)]));
  return issues.map(({ field, value, reason }) => {
    const secret = secrets.get(field) ?? null;
    return {
      field,
      value: value === null ? null : secret === null ? shortened(value) : HIDDEN,
      reason: secret === null ? reason : without(secret, reason),
    };
  });
}

/** Kafka Connect's words for a configuration that is refused. */
export function invalidConfigMessage(infos: ConfigInfos): string {
  const errors = hiddenInfos(infos).configs.flatMap(({ value }) => value.errors);
  return (
    `Connector configuration is invalid and contains the following ${errors.length} error(s):` +
    errors.map((error) => `\n${error}`).join('') +
    '\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`'
  );
}

function secretOf({ definition, value }: ConfigInfos['configs'][number]): string | null {
  return isSecret(definition.type, definition.name) && value.value !== '' ? value.value : null;
}

function isSecret(type: string, name: string): boolean {
  return type === 'PASSWORD' || (type === '' && looksSecret(name));
}

/** A short password cannot be cut out of a sentence without telling where it was. */
function without(secret: string, reason: string): string {
  if (!reason.includes(secret)) return reason;
  return secret.length < 4 ? 'The value is not valid.' : reason.replaceAll(secret, HIDDEN);
}
