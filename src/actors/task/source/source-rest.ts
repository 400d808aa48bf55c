import type { SourceRest as Rest } from '../../../core/cluster/passivation.js';
import type { Gate } from '../gate.js';
import type { TaskActorContext } from '../parts.js';
import type { Signals } from '../signals.js';

export interface SourceRestParts {
  readonly context: Pick<TaskActorContext, 'params' | 'passivate' | 'signal'>;
  readonly gate: Pick<Gate, 'open' | 'changedWithin'>;
  readonly signals: Pick<Signals, 'waiting'>;
  /** Something would be lost that the source has given. */
  readonly holdsRecords: () => boolean;
}

/** A source that says when it wants to be called next is not called before, and gives up its thread where that is long. */
export class SourceRest {
  readonly #parts: SourceRestParts;
  #until: number | null | undefined;

  constructor(parts: SourceRestParts) {
    this.#parts = parts;
  }

  /** Said in a poll. Milliseconds since 1970; null: for a signal only. */
  say(until: number | null): void {
    this.#until = until;
  }

  /** What was said since the last call; undefined: nothing. */
  take(): number | null | undefined {
    const until = this.#until;
    this.#until = undefined;
    return until;
  }

  /** Until then, a signal, a pause or the stop. Everything that it has given is durable, and it was told so. */
  async untilCalled(until: number | null): Promise<void> {
    const { context, gate, signals, holdsRecords } = this.#parts;
    const { passivateAfterMs } = context.params;
    const leftMs = (): number => (until === null ? Infinity : until - Date.now());
    const mayGo = passivateAfterMs > 0 && leftMs() > passivateAfterMs && !holdsRecords();
    if (mayGo && gate.open && !signals.waiting) {
      const rest: Rest = { kind: 'source', since: Date.now(), wakeAt: until };
      context.passivate(rest);
      return;
    }
    while (gate.open && !signals.waiting && leftMs() > 0) await gate.changedWithin(Math.min(leftMs(), 1000));
  }
}
