import type { LogError } from '../log.js';
import { toLogError } from './errors.js';
import type { GroupCommit } from './group-commit.js';
import type { OpenedDatabase } from './open-database.js';
import { retentionCuts } from './retention.js';
import type { Tables } from './tables.js';

export interface HousekeepingOptions {
  readonly database: OpenedDatabase;
  readonly writer: GroupCommit;
  readonly tables: Tables;
  readonly look: <T>(at: (tables: Tables) => T) => T;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** 0: not by itself. */
  readonly everyMs: number;
  /** A step in the background failed; it is tried again the next time. */
  readonly onError: (error: LogError) => void;
}

/** Frees space in the background: what retention no longer keeps, and what deleted topics have left. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #timer: NodeJS.Timeout | null;
  #running: Promise<void> = Promise.resolve();
  #jobs = 0;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    const tidy = (): void => {
      this.#inBackground(() => this.applyRetention());
    };
    this.#timer = options.everyMs > 0 ? setInterval(tidy, options.everyMs).unref() : null;
    this.purgeSoon();
  }

  async applyRetention(): Promise<void> {
    const { database, writer, tables, look, clock } = this.#options;
    // Slots of killed processes would keep their pages from being reused.
    database.root.readerCheck();
    const cuts = look((at) => retentionCuts(at, clock()));
    for (const { topicId, queue, offset } of cuts)
      await writer.submitSteps(() => tables.trimStep(topicId, queue, offset));
    await this.#purge();
  }

  /** Frees what deleted topics have left. */
  purgeSoon(): void {
    this.#inBackground(() => this.#purge());
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#running;
  }

  async #purge(): Promise<void> {
    const { writer, tables, look } = this.#options;
    for (const topicId of look((at) => at.droppedTopics()))
      await writer.submitSteps(() => tables.purgeStep(topicId));
  }

  /** One at a time. What finds one running and one waiting is left to that one. */
  #inBackground(work: () => Promise<void>): void {
    if (this.#jobs === 2) return;
    this.#jobs++;
    this.#running = this.#running
      .then(work)
      .catch((error: unknown) => {
        const failure = toLogError(error, this.#options.database.dataFile);
        if (failure.code !== 'LOG_CLOSED') this.#options.onError(failure);
      })
      .finally(() => {
        this.#jobs--;
      });
  }
}
