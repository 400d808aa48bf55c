import type { RunningConfig } from '../../core/model.js';
import type { ActorLogger } from '../kernel/protocol.js';
import { hideSecrets } from '../kernel/known-secrets.js';
import type { PlannedConfig } from '../rebalancer/protocol.js';
import type { Gate } from './gate.js';
import type { HotSettings } from './hot-settings.js';

/** Characters of a reason in the status. */
const MAX_REASON = 500;

export interface BuiltSettings {
  readonly kind: 'source' | 'sink';
  /** With its references resolved. */
  readonly config: PlannedConfig['config'];
  readonly settings: HotSettings;
}

export interface HotConfigParts {
  readonly gate: Pick<Gate, 'hold' | 'release'>;
  readonly log: Pick<ActorLogger, 'info' | 'warn'>;
  readonly report: (config: RunningConfig) => void;
  /** From a config with its references, and what runs. Throws what is wrong with it, and leaves nothing open. */
  readonly build: (config: PlannedConfig['config'], present: BuiltSettings) => Promise<BuiltSettings>;
  /** Ends what is not used any more. */
  readonly close: (chain: NonNullable<HotSettings['chain']>) => Promise<void>;
  /** It is used from now on. `written`: with its references. */
  readonly onTaken: (taken: BuiltSettings, written: PlannedConfig['config']) => void;
}

/** What the loops look at. */
export type Changes = Pick<HotConfig, 'isDue' | 'take' | 'onTake'>;

/**
 * A newer config of a task that runs: built beside the one that it runs with, then the gate is held until the loop has come to the
 * end of a record and taken it. What cannot be built is refused, and the one before goes on. The first word, before any record
 * moves, is waited for: a thread that was started with an older config moves nothing with that.
 */
export class HotConfig {
  readonly #parts: HotConfigParts;
  /** Null: not loaded yet. The settings are those that the loops look at. */
  #present: BuiltSettings | null = null;
  #running: number;
  #refused: NonNullable<RunningConfig['refused']> | null = null;
  #wanted: PlannedConfig | null = null;
  #building = false;
  #listener: () => void = () => undefined;
  #heard = false;
  #closed = false;
  #built: (BuiltSettings & { readonly of: PlannedConfig }) | null = null;

  /** `version`: of the config that the task is started with. */
  constructor(parts: HotConfigParts, version: number) {
    this.#parts = parts;
    this.#running = version;
  }

  /** There is something to be taken between two records. */
  get isDue(): boolean {
    return this.#built !== null;
  }

  /** The newest that was heard of. */
  get newest(): number {
    return this.#wanted?.version ?? this.#running;
  }

  get status(): RunningConfig {
    return { running: this.#running, ...(this.#refused !== null && { refused: this.#refused }) };
  }

  /** What the task was started with. */
  loaded(present: BuiltSettings): void {
    this.#present = present;
    void this.#build();
  }

  /** With each word of the rebalancer, before what it says of the target: absent where there is nothing newer. */
  heard(config: PlannedConfig | undefined): void {
    const isFirst = !this.#heard;
    this.#heard = true;
    if (config === undefined || config.version <= this.newest) return;
    this.#wanted = config;
    if (isFirst) this.#parts.gate.hold();
    void this.#build();
  }

  /** Of the loop that runs now, in place of the one before: called when it has taken something. */
  onTake(listener: () => void): void {
    this.#listener = listener;
  }

  /** By the loop, which has nothing in its hands. */
  take(): void {
    const { log, report, gate, onTaken } = this.#parts;
    const built = this.#built;
    if (built === null || this.#present === null) return;
    this.#built = null;
    const { chain } = this.#present.settings;
    const live = Object.assign(this.#present.settings, built.settings);
    this.#present = { ...built, settings: live };
    if (chain !== null && chain !== live.chain) void this.#parts.close(chain);
    this.#running = built.of.version;
    if (this.#refused !== null && this.#refused.version < this.#running) this.#refused = null;
    onTaken(this.#present, built.of.config);
    this.#listener();
    log.info({ version: built.of.version }, 'a changed configuration is taken over');
    report(this.status);
    gate.release();
  }

  /** The task has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    const inUse = this.#present?.settings.chain ?? null;
    this.#discard();
    if (inUse !== null) await this.#parts.close(inUse);
  }

  async #build(): Promise<void> {
    if (this.#building) return;
    this.#building = true;
    for (let done = this.#running; !this.#closed && this.#present !== null;) {
      const wanted: PlannedConfig | null = this.#wanted;
      if (wanted === null || wanted.version <= Math.max(done, this.#running)) break;
      done = wanted.version;
      const present = this.#present;
      const { chain } = present.settings;
      try {
        const built = await this.#parts.build(wanted.config, present);
        const isNew = built.settings.chain !== chain;
        this.#discard();
        if (this.#closed || present !== this.#present) {
          // What was kept of the one before may have ended since.
          if (isNew && built.settings.chain !== null) void this.#parts.close(built.settings.chain);
          done = this.#running;
        } else {
          this.#built = { ...built, of: wanted };
          this.#parts.gate.hold();
        }
      } catch (error) {
        this.#refuse(wanted.version, error);
      }
    }
    this.#building = false;
  }

  /** What was built and not taken. */
  #discard(): void {
    const chain = this.#built?.settings.chain ?? null;
    this.#built = null;
    if (chain !== null && chain !== this.#present?.settings.chain) void this.#parts.close(chain);
  }

  #refuse(version: number, error: unknown): void {
    const { log, report, gate } = this.#parts;
    const reason = hideSecrets(error instanceof Error ? error.message : String(error), MAX_REASON);
    this.#refused = { version, reason };
    log.warn(
      { version, running: this.#running, code: 'CONFIG_REFUSED', reason },
      'a changed configuration cannot be used: the task goes on with the one before',
    );
    report(this.status);
    if (this.#built === null) gate.release();
  }
}
