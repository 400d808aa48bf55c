/** Kafka Connect's JSON shapes of connectors, tasks and plugins. */
import type { ConfigInfos, PluginInfo, PluginListing } from '../actors/config-sync/protocol.js';
import type { ConnectorEntry } from '../core/model.js';
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

export type TypeOf = (config: Config) => ConnectorType;

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
  return (config) =>
    types.get((config['connector.class'] ?? config['connector-class'] ?? '').trim()) ?? 'unknown';
}

export function pluginInfo(plugin: PluginInfo): PluginInfo {
  return { class: plugin.class, type: plugin.type, version: plugin.version };
}

/** What `validate` found, without the passwords that were sent. */
export function hiddenInfos(infos: ConfigInfos): ConfigInfos {
  const configs = infos.configs.map(({ definition, value }) => {
    if (!isSecret(definition.type, definition.name) || value.value === null || value.value === '')
      return { definition, value };
    const secret = value.value;
    return {
      definition,
      value: { ...value, value: HIDDEN, errors: value.errors.map((error) => without(secret, error)) },
    };
  });
  return { ...infos, configs };
}

export function fieldErrors(infos: ConfigInfos): readonly FieldError[] {
  return hiddenInfos(infos).configs.flatMap(({ value }) =>
    value.errors.map((reason) => ({
      field: value.name,
      value: value.value === null ? null : shortened(value.value),
      reason,
    })),
  );
}

/** Kafka Connect's words for a configuration that is refused. */
export function invalidConfigMessage(fields: readonly FieldError[]): string {
  return (
    `Connector configuration is invalid and contains the following ${fields.length} error(s):` +
    fields.map((error) => `\n${error.reason}`).join('') +
    '\nYou can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`'
  );
}

function isSecret(type: string, name: string): boolean {
  return type === 'PASSWORD' || (type === '' && looksSecret(name));
}

/** A short password cannot be cut out of a sentence without telling where it was. */
function without(secret: string, reason: string): string {
  if (!reason.includes(secret)) return reason;
  return secret.length < 4 ? 'The value is not valid.' : reason.replaceAll(secret, HIDDEN);
}
