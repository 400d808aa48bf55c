/** Plugins that a connector's configuration names, with their options under a prefix: converters, transforms, predicates. */
import { issueMessage, parseConfig, REASON_REQUIRED } from '../sdk/config-parse.js';
import {
  isGivenFor,
  isSecretKey,
  under,
  type ConfigDefinition,
  type ConfigIssue,
  type ParsedConfig,
} from '../sdk/config.js';
import { ConfigError, ConnectError } from '../sdk/errors.js';
import type { PluginType, RawConfig } from '../sdk/plugin.js';
import { findPlugin, type PluginCatalog } from './catalog.js';
import { loadPluginOf, type PluginOf } from './load.js';

const HIDDEN = '[hidden]';

/** What the part of a configuration came to. `made` is null exactly when there are issues. */
export interface Configured<T> {
  readonly made: T | null;
  readonly issues: readonly ConfigIssue[];
  /** The keys it may have, by their names in the whole configuration. */
  readonly definition: ConfigDefinition;
}

export interface PluginRequest<T extends PluginType, M> {
  readonly raw: RawConfig;
  readonly catalog: PluginCatalog;
  readonly type: T | readonly T[];
  /** The key that names the class, for errors. */
  readonly classKey: string;
  /** The class, or null when it is missing. */
  readonly className: string | null;
  readonly versionKey: string;
  /** Of its options, with the dot. */
  readonly prefix: string;
  /** Keys under the prefix that are not the plugin's. */
  readonly reserved?: readonly string[];
  readonly group: string;
  readonly make: (plugin: PluginOf<T>, config: ParsedConfig) => M;
}

/** Finds, loads and configures one plugin. Everything wrong is an issue that names its key; nothing is thrown. */
export async function configurePlugin<T extends PluginType, M>(
  request: PluginRequest<T, M>,
): Promise<Configured<M>> {
  const { raw, catalog, type, classKey, className, prefix } = request;
  if (className === null) return failed([{ field: classKey, value: null, reason: REASON_REQUIRED }]);
  let definition: ConfigDefinition = [];
  try {
    const entry = findPlugin(catalog, type, className, own(raw, request.versionKey));
    const plugin = await loadPluginOf<T>(type, entry);
    definition = under(prefix, plugin.config).map((key) => ({ ...key, group: request.group }));
    const options = optionsUnder(raw, prefix, request.reserved ?? []);
    const { config, issues } = parseConfig(plugin.config, options);
    if (issues.length > 0)
      return failed(
        issues.map((issue) => ({ ...issue, field: prefix + issue.field })),
        definition,
      );
    return { made: request.make(plugin, config), issues: [], definition };
  } catch (error) {
    return failed([issueOf(error, request, definition)], definition);
  }
}

function failed<T>(issues: readonly ConfigIssue[], definition: ConfigDefinition = []): Configured<T> {
  return { made: null, issues, definition };
}

/** Refused by the plugin itself, not found, or not loading. */
function issueOf<T extends PluginType, M>(
  error: unknown,
  request: PluginRequest<T, M>,
  definition: ConfigDefinition,
): ConfigIssue {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof ConfigError && error.field !== null) {
    const field = request.prefix + error.field;
    const value = own(request.raw, field);
    return { field, value: value !== null && isPassword(definition, field) ? HIDDEN : value, reason };
  }
  const field =
    error instanceof ConnectError && error.code === 'PLUGIN_VERSION_NOT_FOUND'
      ? request.versionKey
      : request.classKey;
  return { field, value: own(request.raw, field) ?? request.className, reason };
}

/** By its name, an alias of it, or as an entry of a MAP. */
export function isPassword(definition: ConfigDefinition, field: string): boolean {
  return definition.some((key) => isSecretKey(key) && isGivenFor(key, field));
}

/** The value of a key that the configuration itself has. */
export function own(raw: RawConfig, key: string): string | null {
  return Object.hasOwn(raw, key) ? (raw[key] ?? null) : null;
}

/** What stands under the prefix, without it. */
function optionsUnder(raw: RawConfig, prefix: string, reserved: readonly string[]): RawConfig {
  const options = new Map<string, string>();
  for (const [key, value] of Object.entries(raw)) {
    const name = key.startsWith(prefix) ? key.slice(prefix.length) : '';
    if (name !== '' && !reserved.includes(name)) options.set(name, value);
  }
  return Object.fromEntries(options);
}

/** One error that names every issue; `field` is that of the first. */
export function configError(issues: readonly ConfigIssue[]): ConfigError {
  const field = issues[0]?.field;
  return new ConfigError(issues.map(issueMessage).join('\n'), field === undefined ? {} : { field });
}
