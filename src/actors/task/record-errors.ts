import { setTimeout as sleep } from 'node:timers/promises';
import { asRetriable } from '../../sdk/errors.js';
import type { ActorLogger } from '../kernel/protocol.js';
import type { Gate } from './gate.js';
import { decideBadRecord, retryDelayMs, type Tolerance } from '../../core/tolerance.js';

/** Instead of a result, when the gate is closed. No value of a plugin can be taken for it. */
export const NOT_NOW = Symbol('not now');

/** What a connector's `errors.*` settings make of errors in its calls and records. */
export class RecordErrors {
  readonly #tolerance: Tolerance;
  readonly #log: ActorLogger;
  readonly #signal: AbortSignal;
  readonly #onRetrying: (call: string | null, since: number) => void;

  constructor(
    tolerance: Tolerance,
    log: ActorLogger,
    signal: AbortSignal,
    /** Called with the call that is being retried, and with null when it succeeded. */
    onRetrying: (call: string | null, since: number) => void,
  ) {
    this.#tolerance = tolerance;
    this.#log = log;
    this.#signal = signal;
    this.#onRetrying = onRetrying;
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

  /** Skips the record when errors are tolerated; else throws the error on. */
  badRecord(error: unknown, where: unknown): Promise<void> {
    const decision = decideBadRecord(this.#tolerance, error);
    if (decision === 'fail') return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    if (this.#tolerance.logErrors) {
      const cause = error instanceof Error ? error.message : String(error);
      const record = this.#tolerance.logMessages ? { record: where } : {};
      this.#log.warn({ cause, ...record }, 'skipped a bad record');
    }
    return Promise.resolve();
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
