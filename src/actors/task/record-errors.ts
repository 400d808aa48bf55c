import { setTimeout as sleep } from 'node:timers/promises';
import { LogError } from '../../log/log.js';
import { asRetriable, DataError } from '../../sdk/errors.js';
import type { ActorLogger } from '../kernel/protocol.js';
import type { Gate } from './gate.js';
import type { TaskParts } from './parts.js';
import { retryDelayMs, type Tolerance } from '../../core/tolerance.js';
import { SkippedRecords, type RecordPlace } from './skipped-records.js';

/** Instead of a result, when the gate is closed. No value of a plugin can be taken for it. */
export const NOT_NOW = Symbol('not now');

/** What a connector's `errors.*` settings make of errors in its calls and records. */
export class RecordErrors {
  readonly #tolerance: Tolerance;
  readonly #log: ActorLogger;
  readonly #signal: AbortSignal;
  readonly #onRetrying: (call: string | null, since: number) => void;
  readonly #skipped: SkippedRecords;

  constructor(
    tolerance: Tolerance,
    log: ActorLogger,
    signal: AbortSignal,
    /** Called with the call that is being retried, and with null when it succeeded. */
    onRetrying: (call: string | null, since: number) => void,
    /** Called now and then with how many records were skipped so far. */
    onSkipped: (total: number) => void = () => undefined,
  ) {
    this.#tolerance = tolerance;
    this.#log = log;
    this.#signal = signal;
    this.#onRetrying = onRetrying;
    this.#skipped = new SkippedRecords(log, onSkipped);
  }

  /** The result of the call, made again after a backoff for as long as it throws RetriableError and the gate is open. */
  async retrying<T>(call: string, gate: Gate, body: () => Promise<T>): Promise<T | typeof NOT_NOW> {
    let since = 0;
    for (let attempt = 1; gate.open; attempt += 1) {
      try {
        const result = await body();
        if (attempt > 1) this.recovered();
        return result;
      } catch (error) {
        if (this.#signal.aborted) return NOT_NOW;
        const retriable = asRetriable(error);
        if (retriable === null) throw error;
        if (attempt === 1) since = Date.now();
        await this.backoffWhileOpen(gate, call, retriable, attempt, since);
      }
    }
    // Paused or stopped, it is not tried any more.
    if (since > 0) this.recovered();
    return NOT_NOW;
  }

  /** The wait before try number `attempt` + 1, said in the log and in the status. */
  async backoff(call: string, error: Error, attempt: number, since: number, maxMs = Infinity): Promise<void> {
    await this.pause(this.#delay(call, error, attempt, since, maxMs));
  }

  /** For calls that move records: the wait ends early when these may not move. */
  async backoffWhileOpen(
    gate: Gate,
    call: string,
    error: Error,
    attempt: number,
    since: number,
  ): Promise<void> {
    await gate.whileOpen(this.#delay(call, error, attempt, since, Infinity));
  }

  #delay(call: string, error: Error, attempt: number, since: number, maxMs: number): number {
    const asked = asRetriable(error)?.retryAfterMs ?? null;
    const delay = Math.min(maxMs, asked ?? retryDelayMs(this.#tolerance, attempt, Math.random()));
    this.#log.warn({ call, attempt, retryInMs: Math.round(delay), cause: error.message }, 'will try again');
    this.#onRetrying(call, since);
    return delay;
  }

  /** What failed before, and was said so by a backoff, went well now or is not tried any more. */
  recovered(): void {
    this.#onRetrying(null, 0);
  }

  retriedLater(call: string, error: Error): void {
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

  /** Says what was skipped and not said yet. */
  close(): void {
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

/** Those of a task. */
export function recordErrors({ context, report }: TaskParts, tolerance: Tolerance): RecordErrors {
  return new RecordErrors(
    tolerance,
    context.log,
    context.signal,
    (call, since) => {
      report.stalled(call === null ? null : { call, since });
    },
    (total) => {
      report.skipped(total);
    },
  );
}

const MAX_PLACE = 500;

function badRecord(error: unknown, cause: string, place: RecordPlace): DataError {
  const where = JSON.stringify(place).slice(0, MAX_PLACE);
  const code = error instanceof DataError ? { code: error.code } : {};
  return new DataError(`${cause} (the record at ${where})`, { ...code, cause: error });
}
