import type { ConfigEntry } from './config-entries.js';
import type { ConfigResult } from './config-machine.js';
import type { ConnectorEntry } from '../model.js';
import type { EntryMeta } from '../replica/machine.js';
import type { EventName, RuntimeEvent } from '../event.js';

/** Of one event: names only, as values may be passwords. */
const MAX_KEYS = 100;

/** What users did to connectors, and what was planned for them. */
export class ConfigEvents {
  /** As they were before the entry that comes. */
  readonly #connectors = new Map<string, ConnectorEntry>();

  begin(connectors: Iterable<ConnectorEntry>): void {
    this.#connectors.clear();
    for (const entry of connectors) this.#connectors.set(entry.name, entry);
  }

  /** What an entry has done, after it was applied. */
  of(entry: ConfigEntry, result: ConfigResult, meta: EntryMeta): readonly RuntimeEvent[] {
    if (!result.ok) return [];
    const before = this.#connectors.get(entry.name);
    const { entry: now } = result;
    if (entry.type === 'DELETE') this.#connectors.delete(entry.name);
    else this.#connectors.set(entry.name, now);
    const event = (name: EventName, data: RuntimeEvent['data']): readonly RuntimeEvent[] => [
      { offset: meta.offset, at: meta.timestamp, event: name, connector: entry.name, data },
    ];
    switch (entry.type) {
      case 'CONNECTOR':
        if (result.created) return event('created', { state: now.targetState, version: now.version });
        if (now.version !== meta.offset) return [];
        return event('config', { version: now.version, keys: changedKeys(before?.config ?? {}, now.config) });
      case 'TARGET':
        return before?.targetState === now.targetState ? [] : event('target', { state: now.targetState });
      case 'DELETE':
        return event('deleted', {});
      case 'TASKS':
        if (now.tasks === null || now.tasks.generation !== meta.offset) return [];
        return event('planned', { tasks: now.tasks.configs.length, version: now.tasks.connectorVersion });
      case 'RESTART':
        return event('restart', {
          connector_restarts: entry.connector,
          tasks: now.restart === null ? [] : [...now.restart.tasks],
        });
      default:
        return [];
    }
  }
}

function changedKeys(before: ConnectorEntry['config'], now: ConnectorEntry['config']): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...keys]
    .filter((key) => before[key] !== now[key])
    .sort()
    .slice(0, MAX_KEYS);
}
