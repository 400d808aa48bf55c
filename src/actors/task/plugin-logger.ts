import type { PluginLogger } from '../../sdk/plugin.js';
import type { ActorLogger } from '../kernel/protocol.js';

/** The task's log as a plugin sees it. */
export function pluginLogger(log: ActorLogger): PluginLogger {
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
