/** A task's changed config: resolved, built and taken over in its own thread. */
import { parseUnitKey } from '../../core/model.js';
import { discoverPlugins } from '../../plugins/discover.js';
import { passwordsOf } from '../../plugins/configured-plugins.js';
import { rememberSecrets } from '../kernel/known-secrets.js';
import { checkResolved } from '../secret-providers.js';
import type { PluginSecrets } from '../plugin-secrets.js';
import { closeTransforms } from './close-transforms.js';
import type { Gate } from './gate.js';
import { HotConfig, type BuiltSettings, type HotConfigParts } from './hot-config.js';
import { buildHotSettings } from './hot-settings.js';
import type { StateReport, TaskActorContext } from './parts.js';
import type { TaskParams } from './protocol.js';

export interface FollowConfigParts {
  readonly context: TaskActorContext;
  readonly gate: Gate;
  readonly report: StateReport;
  readonly secrets: PluginSecrets;
  readonly onTaken: HotConfigParts['onTaken'];
}

export function followConfig({ context, gate, report, secrets, onTaken }: FollowConfigParts): HotConfig {
  const { params, log } = context;
  const changes = new HotConfig(
    {
      gate,
      log,
      report: (config) => {
        report.config(config);
      },
      build: (written, present) => build(params, secrets, written, present),
      close: (chain) => closeTransforms(context, chain),
      onTaken,
    },
    params.version,
  );
  report.config(changes.status);
  return changes;
}

/** What references in the config stand for is known in this thread alone, and kept out of what leaves it. */
export async function resolvedConfig(
  { unit }: Pick<TaskParams, 'unit'>,
  secrets: PluginSecrets,
  written: TaskParams['config'],
): Promise<TaskParams['config']> {
  const resolved = await secrets.resolve(parseUnitKey(unit).connector, written);
  rememberSecrets(resolved.secrets.keys());
  checkResolved(resolved);
  return resolved.config;
}

/** The plugins as they are by now: a transform may have been installed since the task has started. */
async function build(
  params: TaskParams,
  secrets: PluginSecrets,
  written: TaskParams['config'],
  present: BuiltSettings,
): Promise<BuiltSettings> {
  const config = await resolvedConfig(params, secrets, written);
  const catalog = discoverPlugins(params.settings.pluginPaths);
  rememberSecrets(await passwordsOf(config, catalog, params.settings));
  const { kind } = present;
  return { kind, config, settings: await buildHotSettings(kind, { ...params, config }, catalog, present) };
}
