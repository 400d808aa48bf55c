/** The connector that a job of the planning pool is for, with its configuration resolved. */
import { fileAccess } from '../../plugins/file-access.js';
import { discoverPlugins } from '../../plugins/discover.js';
import { findPlugin, type CatalogEntry } from '../../plugins/catalog.js';
import { loadPluginOf } from '../../plugins/load.js';
import { passwordsOf } from '../../plugins/configured-plugins.js';
import type { ResolvedConfig } from '../../core/connectors/secret-references.js';
import type { ConnectorContext, RawConfig, SinkConnector, SourceConnector } from '../../sdk/plugin.js';
import { rememberSecrets } from '../kernel/known-secrets.js';
import { PluginSecrets } from '../plugin-secrets.js';
import { checkResolved } from '../secret-providers.js';
import { planningLogger } from './planning-lines.js';
import { readPositions } from './planning-positions.js';
import { fileRules, nodeOptions, pluginPaths, secretProviders } from './planning-settings.js';

export const catalog = discoverPlugins(pluginPaths());
export const files = fileAccess(fileRules(), catalog);
const pluginSecrets = new PluginSecrets(secretProviders(), () => catalog, false);

/** A plan may still end by itself, before its thread is ended. */
const WARNED_AT = 0.9;

export async function resolve(
  name: string,
  written: RawConfig,
): Promise<ResolvedConfig & { passwords: readonly string[] }> {
  const resolved = await pluginSecrets.resolve(name, written);
  rememberSecrets(resolved.secrets.keys());
  const passwords = await passwordsOf(resolved.config, catalog, nodeOptions());
  rememberSecrets(passwords);
  return { ...resolved, passwords };
}

/** What comes of a secret is shown as one. */
export function checkedConfig(resolved: ResolvedConfig): RawConfig {
  checkResolved(resolved);
  return resolved.config;
}

export function connectorContext(name: string, dueAt: number): ConnectorContext {
  return {
    connectorName: name,
    log: planningLogger(name),
    positions: (match) => readPositions(name, match),
    signal: AbortSignal.timeout(Math.max(0, Math.floor((dueAt - Date.now()) * WARNED_AT))),
    files,
  };
}

export interface ResolvedConnector {
  readonly resolved: ResolvedConfig;
  /** With what references stand for. */
  readonly raw: RawConfig;
  readonly entry: Pick<CatalogEntry, 'class'>;
  readonly connector: SourceConnector | SinkConnector;
}

/** What it is of, with its configuration resolved. */
export async function connectorOf(name: string, written: RawConfig): Promise<ResolvedConnector> {
  const resolved = await resolve(name, written);
  checkResolved(resolved);
  const raw = resolved.config;
  const className = raw['connector.class'] ?? raw['connector-class'] ?? '';
  const entry = findPlugin(catalog, ['source', 'sink'], className, raw['connector.plugin.version'] ?? null);
  const connector =
    entry.type === 'source' ? await loadPluginOf('source', entry) : await loadPluginOf('sink', entry);
  return { resolved, raw, entry, connector };
}
