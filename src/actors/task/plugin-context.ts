import { pluginLoggerOf } from '../../core/logger-levels.js';
import { parseUnitKey } from '../../core/model.js';
import type { FileAccess, PluginLogger, TaskContext } from '../../sdk/plugin.js';
import { checkNote, checkProgress } from '../../plugins/plugin-words.js';
import { coalesce } from '../coalesce.js';
import type { ActorLogger } from '../kernel/protocol.js';
import type { TaskParts } from './parts.js';

const REPLAN_SOON_MS = 200;

/** What the plugin of any task is told. */
export function pluginContext({ context, report, counters }: TaskParts, files: FileAccess): TaskContext {
  const { connector, task } = parseUnitKey(context.params.unit);
  return {
    connectorName: connector,
    taskId: task ?? 0,
    log: pluginLogger(context.log.child({}, { logger: pluginLoggerOf(context.params.config) })),
    signal: context.signal,
    files,
    metrics: counters.plugin,
    note: (code, message) => {
      checkNote(code, message);
      report.note(code, message);
    },
    progress: (said) => {
      report.progress(checkProgress(said));
    },
    // A plugin may ask at each poll.
    requestReplan: coalesce(REPLAN_SOON_MS, () => {
      context.peers.rebalancer.tell('replanWanted', { unit: context.params.unit });
    }),
  };
}

/** The task's log as a plugin sees it. */
function pluginLogger(log: ActorLogger): PluginLogger {
  return {
    debug: (message, fields = {}) => {
      log.debug(fields, message);
    },
    info: (message, fields = {}) => {
      log.info(fields, message);
    },
    warn: (message, fields = {}) => {
      log.warn(fields, message);
    },
    error: (message, fields = {}) => {
      log.error(fields, message);
    },
  };
}
