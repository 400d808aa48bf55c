import { isLoggerName, parseLevel, type LoggerLevel } from '../core/logger-levels.js';
import type { LogLevels } from '../actors/kernel/log-levels.js';
import type { ActorSpec } from '../actors/kernel/protocol.js';
import { SystemError } from './system-error.js';

/** Of the lines of the main thread. */
export const SUPERVISOR_LOGGER = 'supervisor';

/** The loggers of the node: those of its actors, and those that somebody has set the level of. */
export class Loggers {
  readonly #levels: LogLevels;
  readonly #actors: () => readonly ActorSpec[];

  constructor(levels: LogLevels, actors: () => readonly ActorSpec[]) {
    this.#levels = levels;
    this.#actors = actors;
  }

  list(): readonly LoggerLevel[] {
    return this.#levels.list(this.#known());
  }

  /** What comes from another thread is checked. */
  set(logger: unknown, name: unknown): readonly string[] {
    const level = typeof name === 'string' ? parseLevel(name) : null;
    if (typeof logger !== 'string' || !isLoggerName(logger) || level === null)
      throw new SystemError('LOGGER_INVALID', 'a logger has a name of 1 to 255 bytes, and one of the levels');
    const changed = this.#levels.set(logger, level, Date.now(), this.#known());
    if (changed === null)
      throw new SystemError(
        'LOGGERS_TOO_MANY',
        'levels of so many loggers were set that no other is taken: set one that is above several',
      );
    return changed;
  }

  #known(): readonly (readonly string[])[] {
    return [[SUPERVISOR_LOGGER], ...this.#actors().map(({ id, loggers = [id] }) => loggers)];
  }
}
