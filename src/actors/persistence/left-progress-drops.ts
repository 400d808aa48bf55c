import type { ConnectorEntry } from '../../core/model.js';
import { leftBeyond } from '../../core/progress/left-progress.js';
import type { ProgressOf, ProgressResult, ProgressState } from '../../core/progress/progress-rules.js';
import type { RestoreEntry } from '../../core/connectors/cold-start-state.js';
import type { ActorLogger } from '../kernel/protocol.js';

const CHECK_MS = 30_000;

/** One of positions or offsets. */
interface Progress {
  readonly state: { readonly inner: ProgressState<unknown> };
  submit(entry: ProgressOf<never> | RestoreEntry): Promise<ProgressResult | null>;
}

/**
 * Forgets what deleted connectors have left beyond what is kept of them. Not at once, and only of those that were gone
 * at two checks: somebody may just be making one anew. Each node does so; the second drop changes nothing.
 */
export class LeftProgressDrops {
  readonly #all: readonly Progress[];
  readonly #max: number;
  /** null: not known yet. */
  readonly #connectors: () => readonly ConnectorEntry[] | null;
  readonly #log: ActorLogger;
  readonly #timer: NodeJS.Timeout;
  #gone: ReadonlySet<string> = new Set();

  constructor(
    all: readonly Progress[],
    max: number,
    connectors: () => readonly ConnectorEntry[] | null,
    log: ActorLogger,
  ) {
    this.#all = all;
    this.#max = max;
    this.#connectors = connectors;
    this.#log = log;
    this.#timer = setInterval(() => {
      this.check().catch((error: unknown) => {
        log.warn({ err: error }, 'progress of deleted connectors could not be dropped; will try again');
      });
    }, CHECK_MS);
  }

  async check(): Promise<void> {
    const connectors = this.#connectors();
    if (connectors === null) return;
    const present = new Set(connectors.map(({ name }) => name));
    const gone = new Set<string>();
    for (const progress of this.#all) {
      for (const { connector, upTo, size } of leftBeyond(progress.state.inner, present, this.#max)) {
        gone.add(connector);
        if (!this.#gone.has(connector)) continue;
        this.#log.info(
          { connector, size },
          'the progress of a deleted connector is forgotten (deleted.progress.max)',
        );
        await progress.submit({ type: 'DROP', connector, upTo });
      }
    }
    this.#gone = gone;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
