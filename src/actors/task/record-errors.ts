import { setTimeout as sleep } from 'node:timers/promises';
import { LogError } from '../../log/log.js';
import { asRetriable, DataError } from '../../sdk/errors.js';
import type { Stall } from '../../core/model.js';
import { hideSecrets } from '../kernel/known-secrets.js';
import type { ActorLogger } from '../kernel/protocol.js';
import type { Gate } from './gate.js';
import type { TaskParts } from './parts.js';
import { retryDelayMs, type Tolerance } from '../../core/tolerance.js';
import { SkippedRecords, type RecordPlace } from './skipped-records.js';

/** Characters of a cause in the status. */
const MAX_CAUSE = 1000;

/** Instead of a result, when the gate is closed. No value of a plugin can be taken for it. */
export const NOT_NOW = Symbol('not now');

/** What a connector's `errors.*` settings make of errors in its calls and records. */
export class RecordErrors {
  readonly #tolerance: Tolerance;
  readonly #log: ActorLogger;
  readonly #signal: AbortSignal;
  readonly #onRetrying: (call: string, stall: Stall | null) => void;
  /** Since when they fail, by call. As many as there are kinds of calls. */
  readonly #since = new Map<string, number>();
  readonly #skipped: SkippedRecords;

  constructor(
    tolerance: Tolerance,
    log: ActorLogger,
    signal: AbortSignal,
    /** Called when the call is to be made again, and with null when it succeeded. */
    onRetrying: (call: string, stall: Stall | null) => void,
    skipped = new SkippedRecords(log, () => undefined),
  ) {
    this.#tolerance = tolerance;
    this.#log = log;
    this.#signal = signal;
    this.#onRetrying = onRetrying;
    this.#skipped = skipped;
  }

  /** Records, so far. */
  get skipped(): number {
    return this.#skipped.total;
  }

  /** The result of the call, made again after a backoff for as long as it throws RetriableError and the gate is open. */
  async retrying<T>(call: string, gate: Gate, body: () => Promise<T>): Promise<T | typeof NOT_NOW> {
    for (let attempt = 1; gate.open; attempt += 1) {
      try {
        const result = await body();
        this.recovered(call);
        return result;
      } catch (error) {
        if (this.#signal.aborted) return NOT_NOW;
        const retriable = asRetriable(error);
        if (retriable === null) throw error;
        await this.backoffWhileOpen(gate, call, retriable, attempt);
      }
    }
    // Paused or stopped, it is not tried any more.
    this.recovered(call);
    return NOT_NOW;
  }

  /** The wait before try number `attempt` + 1, said in the log and in the status. */
  async backoff(call: string, error: Error, attempt: number, maxMs = Infinity): Promise<void> {
    await this.pause(this.#delay(call, error, attempt, maxMs));
  }

  /** For calls that move records: the wait ends early when these may not move. */
  async backoffWhileOpen(gate: Gate, call: string, error: Error, attempt: number): Promise<void> {
    await gate.whileOpen(this.#delay(call, error, attempt, Infinity));
  }

  #delay(call: string, error: Error, attempt: number, maxMs: number): number {
    const asked = asRetriable(error)?.retryAfterMs ?? null;
    const delay = Math.min(maxMs, asked ?? retryDelayMs(this.#tolerance, attempt, Math.random()));
    this.#log.warn({ call, attempt, retryInMs: Math.round(delay), cause: error.message }, 'will try again');
    this.#failing(call, error);
    return delay;
  }

  #failing(call: string, error: Error): void {
    const since = this.#since.get(call) ?? Date.now();
    this.#since.set(call, since);
    this.#onRetrying(call, { call, since, cause: hideSecrets(error.message, MAX_CAUSE) });
  }

  /** What may have failed before, and was said so, went well now or is not tried any more. */
  recovered(call: string): void {
    if (this.#since.delete(call)) this.#onRetrying(call, null);
  }

  /** Said as by a backoff, but the caller goes on. */
  retriedLater(call: string, error: Error): void {
    this.#failing(call, error);
    this.#log.warn({ call, cause: error.message }, 'will try again at the next interval');
  }

  /**
   * After `failure` of a record's transforms or conversion: what `again` makes of it, tried for as long as that says that
   * it may pass; null where the record is skipped, NOT_NOW where the gate is closed. Throws what nobody tolerates.
   */
  async recover<T>(
    failure: unknown,
    gate: Gate,
    again: () => Promise<T> | T,
    place: RecordPlace,
    record?: unknown,
  ): Promise<T | null | typeof NOT_NOW> {
    let first = true;
    try {
      for (let ready = asRetriable(failure)?.ready; ready !== null && ready !== undefined && gate.open;) {
        await settled(ready, gate);
        try {
          return await again();
        } catch (error) {
          failure = error;
          ready = asRetriable(error)?.ready;
        }
      }
      if (asRetriable(failure) === null) throw failure;
      return await this.retrying('transform', gate, async () => {
        if (!first) return again();
        first = false;
        throw failure;
      });
    } catch (error) {
      await this.badRecord(error, place, record);
      return null;
    }
  }

  /** Whether the record or records that a call failed at may be skipped. */
  tolerates(error: unknown): error is DataError {
    return error instanceof DataError && this.#tolerance.tolerance === 'all';
  }

  /** Skips the record when errors are tolerated, and says so; else throws what is wrong with it, and where it is. */
  badRecord(error: unknown, place: RecordPlace, record?: unknown): Promise<void> {
    // A log that is away, or has no such topic, is no fault of the record.
    if (error instanceof LogError) return Promise.reject(error);
    const cause = error instanceof Error ? error.message : String(error);
    if (this.#tolerance.tolerance !== 'all') return Promise.reject(badRecord(error, cause, place));
    this.#skipped.add(cause, place);
    if (this.#tolerance.logErrors) {
      const held = this.#tolerance.logMessages && record !== undefined ? { record } : {};
      this.#log.warn({ cause, ...place, ...held }, 'skipped a bad record');
    }
    return Promise.resolve();
  }

  /** Nothing is tried again any more. Says what was skipped and not said yet. */
  close(): void {
    for (const call of [...this.#since.keys()]) this.recovered(call);
    this.#skipped.close();
  }

  /** Waits, or returns early when the task is stopping. */
  async pause(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#signal });
    } catch {
      // Stopping: the caller looks at the signal.
    }
  }
}

/** Those of a task, until `close`. `skipped`: of the whole task, where it makes several. */
export function recordErrors(
  parts: TaskParts,
  tolerance: Tolerance,
  skipped = skippedRecords(parts),
): RecordErrors {
  const { context, report } = parts;
  return new RecordErrors(
    tolerance,
    context.log,
    context.signal,
    (call, stall) => {
      report.stalled(call, stall);
    },
    skipped,
  );
}

/** Of a task. */
export function skippedRecords({ context, report, counters }: TaskParts): SkippedRecords {
  return new SkippedRecords(
    context.log,
    (total) => {
      report.skipped(total);
    },
    counters.skipped,
  );
}

/** Or the gate is closed: then nothing is converted any more. */
async function settled(ready: Promise<unknown>, gate: Gate): Promise<void> {
  let waiting = true;
  const wake = (): void => {
    waiting = false;
    gate.wake();
  };
  ready.then(wake, wake);
  while (waiting && gate.open) await gate.changedWithin(1000);
}

const MAX_PLACE = 500;

function badRecord(error: unknown, cause: string, place: RecordPlace): DataError {
  const where = JSON.stringify(place).slice(0, MAX_PLACE);
  const code = error instanceof DataError ? { code: error.code } : {};
  return new DataError(`${cause} (the record at ${where})`, { ...code, cause: error });
}
