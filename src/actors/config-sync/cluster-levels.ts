import { isLevelEntry, type LevelEntry } from '../../core/connectors/level-entries.js';
import { parseLevel, type LevelName } from '../../core/logger-levels.js';
import type { ActorLogger, SystemRef } from '../kernel/protocol.js';
import type { ConfigReplica } from './cold-start.js';

/** Levels of loggers on all nodes. What was set before a node started does not concern it, as one that it sets for itself ends with it. */
export class ClusterLevels {
  readonly #replica: ConfigReplica;
  readonly #system: Pick<SystemRef, 'setLogLevel'>;
  readonly #log: ActorLogger;
  /** Of this node, in the order of the log. */
  #setting: Promise<void> = Promise.resolve();

  /** After the replica's boot: from here on. */
  constructor(replica: ConfigReplica, system: Pick<SystemRef, 'setLogLevel'>, log: ActorLogger) {
    this.#replica = replica;
    this.#system = system;
    this.#log = log;
    replica.onApplied((entry) => {
      if (isLevelEntry(entry)) this.#setting = this.#apply(entry, this.#setting);
    });
  }

  /** Resolves when it is in the log, and set on this node. */
  async set(logger: string, level: LevelName): Promise<Record<string, never>> {
    await this.#replica.submit({ type: 'LEVEL', logger, level });
    await this.#setting;
    return {};
  }

  async #apply({ logger, level: name }: LevelEntry, before: Promise<void>): Promise<void> {
    await before;
    const level = parseLevel(name);
    try {
      if (level === null) throw new Error(`this node knows no level ${name}`);
      await this.#system.setLogLevel(logger, level);
      this.#log.info({ logger, level }, 'the level of a logger was set on all nodes');
    } catch (error) {
      this.#log.warn(
        { logger, level: name, err: error, code: 'LEVEL_NOT_SET' },
        'the level of a logger was set on all nodes, but not on this one',
      );
    }
  }
}
