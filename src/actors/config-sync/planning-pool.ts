import { Piscina } from 'piscina';
import type { FileRules } from '../../core/parameters/file-rules.js';
import type { ConnectorEntry } from '../../core/model.js';
import { ConnectError } from '../../sdk/errors.js';
import type { SecretProviders } from '../secret-providers.js';
import type { ConfigInfos, PluginKeyInfo } from './protocol.js';

/** What a pool thread is asked to do: see planning-job.ts. */
export type PlanningJob =
  | { readonly kind: 'validate'; readonly config: Readonly<Record<string, string>> }
  | { readonly kind: 'plan'; readonly name: string; readonly config: Readonly<Record<string, string>> }
  | { readonly kind: 'definition'; readonly class: string; readonly version: string | null };

export type PlanningResult<J extends PlanningJob> = J extends { kind: 'validate' }
  ? ConfigInfos
  : J extends { kind: 'plan' }
    ? ConnectorEntry['config'][]
    : readonly PluginKeyInfo[];

/** What crosses back from a pool thread: an error keeps its code. */
export type PlanningAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly stack: string | null };

export interface PlanningPoolOptions {
  readonly threads: number;
  readonly timeoutMs: number;
  readonly pluginPaths: readonly string[];
  /** Which files connectors may open. Default: all but those of plugins. */
  readonly files?: FileRules;
  /** Default: none is allowed. */
  readonly secretProviders?: SecretProviders;
  readonly keyConverter: string;
  readonly valueConverter: string;
  /** See `ValidateOptions`. */
  readonly sharing?: boolean;
  readonly ownTopics?: readonly string[];
  /** Told what no job is to blame for: code that a plugin left running failed, and its thread is gone. */
  readonly onStray: (error: unknown) => void;
}

/**
 * Runs the planning code of connectors (validate, taskConfigs), which owns no data, in threads that may be lost:
 * a connector that hangs, throws or eats memory there costs one pool thread and an error answer.
 */
export class PlanningPool {
  readonly #options: PlanningPoolOptions;
  #pool: Piscina;

  constructor(options: PlanningPoolOptions) {
    this.#options = options;
    this.#pool = this.#create();
  }

  async run<J extends PlanningJob>(job: J): Promise<PlanningResult<J>> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs);
    let answer: PlanningAnswer;
    try {
      answer = (await this.#pool.run(job, { signal: timeout })) as PlanningAnswer;
    } catch (error) {
      throw this.#poolError(error, timeout.aborted);
    }
    if (answer.ok) return answer.result as PlanningResult<J>;
    throw new ConnectError(answer.message, {
      code: answer.code,
      ...(answer.stack === null ? {} : { cause: answer.stack }),
    });
  }

  /** New threads, which read the plugins anew; jobs under way finish in the old ones. */
  reload(): void {
    const old = this.#pool;
    this.#pool = this.#create();
    old.close().catch(this.#options.onStray);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #create(): Piscina {
    const { pluginPaths, files, secretProviders, keyConverter, valueConverter, sharing, ownTopics } =
      this.#options;
    const pool = new Piscina({
      filename: new URL('./planning-job.js', import.meta.url).href,
      workerData: { pluginPaths, files, secretProviders, keyConverter, valueConverter, sharing, ownTopics },
      // One stays, so that a REST write need not wait for a thread to start.
      minThreads: 1,
      maxThreads: this.#options.threads,
      // Its queue has no bound of its own.
      maxQueue: 1000,
      idleTimeout: 10_000,
      // The default blocks the thread's event loop between jobs, and with it every timer of a plugin.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    // Errors of threads without a job, and a close that took too long; unheard they would end this actor.
    pool.on('error', this.#options.onStray);
    return pool;
  }

  #poolError(error: unknown, timedOut: boolean): ConnectError {
    const message = error instanceof Error ? error.message : String(error);
    if (timedOut) {
      return new ConnectError(
        `the connector did not answer within ${this.#options.timeoutMs} ms (planning.timeout.ms) and was stopped`,
        { code: 'PLANNING_TIMEOUT', cause: error },
      );
    }
    return new ConnectError(`the connector's planning failed: ${message}`, {
      code: 'PLANNING_FAILED',
      cause: error,
    });
  }
}
