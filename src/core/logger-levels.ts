/** The levels of loggers and their names: those of actors, tasks and plugins. A dot parts levels. */
import { parseUnitKey, type UnitKey } from './model.js';

/** As Kafka Connect names them, with the least severe line that is still written (the place in LOG_LEVELS). */
const SEVERITIES = { ALL: 0, TRACE: 0, DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3, FATAL: 4, OFF: 4 } as const;
export type LevelName = keyof typeof SEVERITIES;

/** What covers all loggers. */
export const ROOT_LOGGER = 'root';
export const MAX_LOGGER_BYTES = 255;

export interface LoggerLevel {
  readonly name: string;
  readonly level: LevelName;
  /** Milliseconds since 1970; null: it has the level that the node began with. */
  readonly lastModified: number | null;
}

export function parseLevel(text: string): LevelName | null {
  const name = text.toUpperCase();
  return Object.hasOwn(SEVERITIES, name) ? (name as LevelName) : null;
}

export function severityOf(level: LevelName): number {
  return SEVERITIES[level];
}

/** Printable, and no longer than a path takes. */
export function isLoggerName(name: string): boolean {
  return name !== '' && Buffer.byteLength(name) <= MAX_LOGGER_BYTES && !/\p{Cc}/u.test(name);
}

/** Whether a level that is set for one logger holds for the other. */
export function covers(set: string, logger: string): boolean {
  return set === ROOT_LOGGER || logger === set || logger.startsWith(`${set}.`);
}

/** Of all lines of a task, and of those that its plugin writes. */
export function taskLoggers(unit: UnitKey, config: Readonly<Record<string, string>>): readonly string[] {
  const { connector, task } = parseUnitKey(unit);
  return [`tasks.${connector}.${String(task)}`, pluginLoggerOf(config)];
}

/** Its class, as the configuration has it. */
export function pluginLoggerOf(config: Readonly<Record<string, string>>): string {
  return config['connector.class'] ?? config['connector-class'] ?? 'plugin';
}
