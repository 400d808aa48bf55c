import { setTimeout as sleep } from 'node:timers/promises';
import { LogError } from '../../log/log.js';
import { asRetriable, DataError, FatalError } from '../../sdk/errors.js';
import { ErrorBreaker } from '../../core/error-breaker.js';
import type { Stall } from '../../core/model.js';
import type { QueueOffset } from '../../sdk/plugin.js';
import type { ConnectRecord } from '../../sdk/record.js';
import { hideSecrets } from '../kernel/known-secrets.js';
import type { ActorLogger } from '../kernel/protocol.js';
import type { Gate } from './gate.js';
import type { TaskParts } from './parts.js';
import { retryDelayMs, type Tolerance } from '../../core/tolerance.js';
import type { DeadLetters, RawRecord } from './dead-letters/letter.js';
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
  readonly #breaker: ErrorBreaker;
  readonly #letters: DeadLetters | null;
  /** Where the records that are being delivered begin, and the number of the first of them. */
  #delivered: (QueueOffset & { readonly number: number }) | null = null;

  constructor(
    tolerance: Tolerance,
    log: ActorLogger,
    signal: AbortSignal,
    /** Called when the call is to be made again, and with null when it succeeded. */
    onRetrying: (call: string, stall: Stall | null) => void,
    skipped = new SkippedRecords(log, () => undefined),
    /** Null: what is skipped goes nowhere. */
    letters: DeadLetters | null = null,
  ) {
    this.#tolerance = tolerance;
    this.#log = log;
    this.#signal = signal;
    this.#onRetrying = onRetrying;
    this.#skipped = skipped;
    this.#breaker = new ErrorBreaker(tolerance.breaker);
    this.#letters = letters;
  }

  /** Records, so far. */
  get skipped(): number {
    return this.#skipped.total;
  }

  /** The records that come next stand there one after the other, and are looked at in any order. */
  delivering({ topic, queue, offset }: QueueOffset): void {
    this.#delivered = { topic, queue, offset, number: this.#breaker.next };
  }

  /** So many records were looked at, good and bad. */
  passed(records: number): void {
    this.#breaker.passed(records);
  }

  /** The result of the call, made again after a backoff for as long as it throws RetriableError and the gate is open. */
  async retrying<T>(
    call: string,
    gate: Gate,
    body: () => Promise<T>,
    /** Milliseconds for which it may be made again. */
    leftMs: () => number = () => Infinity,
  ): Promise<T | typeof NOT_NOW> {
    for (let attempt = 1; gate.open; attempt += 1) {
      try {
        const result = await body();
        this.recovered(call);
        return result;
      } catch (error) {
        if (this.#signal.aborted) return NOT_NOW;
        const retriable = asRetriable(error);
        const left = retriable === null ? 0 : leftMs();
        if (retriable === null || left <= 0) {
          this.recovered(call);
          throw error;
        }
        await this.backoffWhileOpen(gate, call, retriable, attempt, left);
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
  async backoffWhileOpen(
    gate: Gate,
    call: string,
    error: Error,
    attempt: number,
    maxMs = Infinity,
  ): Promise<void> {
    await gate.whileOpen(this.#delay(call, error, attempt, maxMs));
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
   * it may pass and `errors.retry.timeout` allows; null where the record is skipped, NOT_NOW where the gate is closed. Throws what nobody tolerates.
   */
  async recover<T>(
    failure: unknown,
    gate: Gate,
    again: () => Promise<T> | T,
    place: RecordPlace,
    record?: ConnectRecord,
    raw?: RawRecord,
  ): Promise<T | null | typeof NOT_NOW> {
    let first = true;
    const { retryTimeoutMs } = this.#tolerance;
    const until =
      retryTimeoutMs === null || retryTimeoutMs < 0 ? Infinity : performance.now() + retryTimeoutMs;
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
      const body = async (): Promise<T> => {
        if (!first) return again();
        first = false;
        throw failure;
      };
      return await this.retrying('transform', gate, body, () => until - performance.now());
    } catch (error) {
      await this.badRecord(error, place, record, raw);
      return null;
    }
  }

  /** Whether the record or records that a call failed at may be skipped. */
  tolerates(error: unknown): error is DataError {
    return error instanceof DataError && this.#tolerance.tolerance === 'all';
  }

  /**
   * Skips the record when errors are tolerated, and says so; else throws what is wrong with it, and where it is. `raw`: as it
   * stands in the log, where it does and is at hand.
   */
  async badRecord(
    error: unknown,
    place: RecordPlace,
    record?: ConnectRecord,
    raw?: RawRecord,
  ): Promise<void> {
    // A log that is away, or has no such topic, is no fault of the record.
    if (error instanceof LogError) throw error;
    const { tolerance, logErrors, logMessages } = this.#tolerance;
    const cause = error instanceof Error ? error.message : String(error);
    if (logErrors) {
      const held = logMessages && record !== undefined ? { record } : {};
      this.#log.warn({ cause, ...place, ...held }, 'a bad record');
    }
    if (tolerance !== 'all') throw badRecord(error, cause, place);
    if (this.#breaker.trips(this.#numberOf(place))) throw this.#tripped(error, cause, place);
    await this.#letters?.add({ error, place, record, raw });
    this.#skipped.add(cause, place);
  }

  #numberOf(place: RecordPlace): number {
    const { next } = this.#breaker;
    const from = this.#delivered;
    if (from === null || !isQueueOffset(place)) return next;
    if (place.queue !== from.queue || place.topic !== from.topic || place.offset < from.offset) return next;
    return from.number + place.offset - from.offset;
  }

  /** Somebody has to look: each start by itself would skip as many again. */
  #tripped(error: unknown, cause: string, place: RecordPlace): FatalError {
    const { failures, window } = this.#tolerance.breaker;
    return new FatalError(
      `${failures} of the last ${window} records were bad, as many as errors.breaker.failures allows not: the task stops before it skips the others. ` +
        `The last is ${cause} (the record at ${shown(place)}), and was not skipped. Remove the cause, then restart the task`,
      { code: 'TOO_MANY_BAD_RECORDS', cause: error },
    );
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
  letters: DeadLetters | null = null,
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
    letters,
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

function shown(place: RecordPlace): string {
  return JSON.stringify(place).slice(0, MAX_PLACE);
}

function isQueueOffset(place: RecordPlace): place is QueueOffset {
  const { topic, queue, offset } = place as Partial<QueueOffset>;
  return typeof topic === 'string' && typeof queue === 'number' && typeof offset === 'number';
}

function badRecord(error: unknown, cause: string, place: RecordPlace): DataError {
  const where = shown(place);
  const code = error instanceof DataError ? { code: error.code } : {};
  return new DataError(`${cause} (the record at ${where})`, { ...code, cause: error });
}
