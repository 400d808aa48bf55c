import { LRUCache } from 'lru-cache';
import { Piscina } from 'piscina';
import type { PlanningMemory } from '../../core/planning-memory.js';
import type { UnknownKeysMode } from '../../core/parameters/unknown-keys-mode.js';
import type { FileRules } from '../../core/parameters/file-rules.js';
import type { ConnectorEntry } from '../../core/model.js';
import { ConnectError } from '../../sdk/errors.js';
import type { PlanningAnswer as SignalAnswer, PositionChange, Signal } from '../../sdk/plugin.js';
import type { SecretProviders } from '../secret-providers.js';
import { FairQueue } from './fair-queue.js';
import { OneByOne } from './one-by-one.js';
import { PackagePools } from './package-pools.js';
import { parseLine, type PlanningLine } from './planning-lines.js';
import { parseRequest, type PositionsRequest } from './planning-positions.js';
import { OverMemory, PlanningWatch, type JobPulse } from './planning-watch.js';
import type { ConfigInfos, PluginKeyInfo, PreviewReply, TransformTestReport } from './protocol.js';
import type { Run } from './topic-window.js';

/** A job as its thread is given it. */
export interface DuePlanningJob {
  readonly job: PlanningJob;
  /** Milliseconds since 1970: then the thread is ended. */
  readonly dueAt: number;
  readonly memory: JobPulse;
}

export const PLANNING_THREAD = new URL('./planning-thread.cjs', import.meta.url).href;

/** What a pool thread is asked to do: see planning-job.ts. */
export type PlanningJob =
  | {
      readonly kind: 'validate';
      readonly config: Readonly<Record<string, string>>;
      /** The connector also connects as its tasks would. */
      readonly dryRun?: boolean;
    }
  | {
      readonly kind: 'plan';
      readonly name: string;
      readonly config: Readonly<Record<string, string>>;
      /** There are tasks that would be stopped for it: it is tried first whether the connector can connect. Default: not. */
      readonly trial?: boolean;
    }
  | {
      readonly kind: 'signal';
      readonly name: string;
      readonly config: Readonly<Record<string, string>>;
      readonly signal: Signal;
    }
  | {
      readonly kind: 'positions';
      readonly name: string;
      readonly config: Readonly<Record<string, string>>;
      /** null: all are removed. */
      readonly changes: readonly PositionChange[] | null;
    }
  | {
      /** Records as JSON. */
      readonly kind: 'records';
      /** Whose configuration it is, with references to secrets; null: nobody's. */
      readonly name: string | null;
      readonly config: Readonly<Record<string, string>>;
      readonly runs: readonly Run[];
      /** Through the transforms of the configuration, too. */
      readonly transform: boolean;
    }
  | {
      readonly kind: 'test';
      readonly config: Readonly<Record<string, string>>;
      /** JSON that has the tests in its field `tests`. */
      readonly body: string;
    }
  | {
      /** Records of a source, polled from a task that is started for it. */
      readonly kind: 'preview';
      readonly name: string;
      readonly config: Readonly<Record<string, string>>;
      /** What its first task is given besides; null: it is planned for this. */
      readonly task: Readonly<Record<string, string>> | null;
      /** From those of the connector; else from none. */
      readonly withPositions: boolean;
      readonly limit: number;
    }
  | { readonly kind: 'definition'; readonly class: string; readonly version: string | null };

export interface Plan {
  readonly configs: readonly ConnectorEntry['config'][];
  /** null: not by time. */
  readonly replanAfterMs: number | null;
  /** What its user should know: of keys without effect. null: nothing. */
  readonly warning: string | null;
  /** Keys that the connector itself defines, with their aliases, of those that others take over while they run. */
  readonly ownHotKeys: readonly string[];
}

export type PlanningResult<J extends PlanningJob> = J extends { kind: 'validate' }
  ? ConfigInfos
  : J extends { kind: 'plan' }
    ? Plan
    : J extends { kind: 'signal' }
      ? Required<SignalAnswer>
      : J extends { kind: 'positions' }
        ? null
        : J extends { kind: 'records' }
          ? readonly string[]
          : J extends { kind: 'test' }
            ? TransformTestReport
            : J extends { kind: 'preview' }
              ? Omit<PreviewReply, 'type'>
              : readonly PluginKeyInfo[];

/** What crosses back from a pool thread: an error keeps its code. */
export type PlanningAnswer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly stack: string | null };

export interface PlanningPoolOptions {
  readonly threads: number;
  readonly timeoutMs: number;
  readonly memory: PlanningMemory;
  readonly pluginPaths: readonly string[];
  /** Folders of packages with plugins besides, asked when threads are to read the plugins anew. Default: none. */
  readonly installed?: () => readonly string[];
  /** Which files connectors may open. Default: all but those of plugins. */
  readonly files?: FileRules;
  /** Default: none is allowed. */
  readonly secretProviders?: SecretProviders;
  readonly keyConverter: string;
  readonly valueConverter: string;
  readonly headerConverter: string;
  /** What becomes of keys that nobody knows. Default: auto. */
  readonly unknownKeys?: UnknownKeysMode;
  /** See `ValidateOptions`. */
  readonly sharing?: boolean;
  readonly ownTopics?: readonly string[];
  /** The folders of the packages whose code a job runs. Default: none. */
  readonly packagesOf?: (job: PlanningJob) => readonly string[];
  /** What a connector that plans writes to its log. */
  readonly onLine?: (line: PlanningLine) => void;
  /** A connector that plans wants to know its positions. Default: it is not answered. */
  readonly onPositions?: (request: PositionsRequest) => void;
  /** Told what no job is to blame for: code that a plugin left running failed, and its thread is gone. */
  readonly onStray: (error: unknown) => void;
}

export interface RunOptions {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  /** Called when it would have to wait; true: something was ended in whose place it is done. */
  readonly displace?: () => boolean;
}

/** A module needs no longer to load, however long planning may take. */
const LOADING_MS = 10_000;
/** A plugin whose module did not load in time is not tried again so soon: lists ask for each plugin. */
const NOT_AGAIN_MS = 60_000;
const MAX_REMEMBERED = 500;
const MEGABYTE = 1024 * 1024;
/** So often a job is ended on suspicion: then it was at it each time, the last times alone. */
const MAX_SUSPICIONS = 3;

/**
 * Runs the planning code of connectors (validate, taskConfigs), which owns no data, in threads that may be lost:
 * a connector that hangs, throws or eats memory there costs one pool thread and an error answer.
 */
export class PlanningPool {
  readonly #options: PlanningPoolOptions;
  readonly #queue: FairQueue;
  readonly #pools: PackagePools;
  readonly #watch: PlanningWatch;
  /** Jobs that were ended on suspicion, again: apart, so that it shows which it was. */
  readonly #apart = new OneByOne();
  /** Definitions that did not come in time. */
  readonly #late = new LRUCache<string, ConnectError>({ max: MAX_REMEMBERED, ttl: NOT_AGAIN_MS });

  constructor(options: PlanningPoolOptions) {
    this.#options = options;
    this.#queue = new FairQueue(options.threads);
    this.#watch = new PlanningWatch(options.memory);
    this.#pools = new PackagePools((packages) => this.#create(packages), options.onStray);
  }

  async run<J extends PlanningJob>(
    job: J,
    { signal, displace }: RunOptions = {},
  ): Promise<PlanningResult<J>> {
    const culprit = culpritOf(job);
    const late = job.kind === 'definition' ? this.#late.get(culprit) : undefined;
    if (late !== undefined) throw late;
    const givenUp = signal ?? new AbortController().signal;
    const answer = await this.#queue
      .run(culprit, givenUp, () => this.#answer(job, givenUp), displace)
      .catch(asPlanningFailed);
    if (answer.ok) return answer.result as PlanningResult<J>;
    throw new ConnectError(answer.message, {
      code: answer.code,
      ...(answer.stack === null ? {} : { cause: answer.stack }),
    });
  }

  async #answer(job: PlanningJob, givenUp: AbortSignal): Promise<PlanningAnswer> {
    const attempt = (): Promise<PlanningAnswer> => this.#attempt(job, givenUp);
    for (let suspicions = 0; ;) {
      try {
        return await (suspicions === 0 ? attempt() : this.#apart.run(attempt));
      } catch (error) {
        if (!(error instanceof OverMemory)) throw error;
        suspicions += 1;
        if (error.certain || suspicions >= MAX_SUSPICIONS) throw this.#outOfMemory(error);
      }
    }
  }

  /** Its time begins when it has a thread: what it waited for is no fault of its plugin. */
  async #attempt(job: PlanningJob, givenUp: AbortSignal): Promise<PlanningAnswer> {
    const { timeoutMs, packagesOf } = this.#options;
    const ms = job.kind === 'definition' ? Math.min(timeoutMs, LOADING_MS) : timeoutMs;
    const timeout = AbortSignal.timeout(ms);
    const packages = [...new Set(packagesOf?.(job) ?? [])].sort().join('\n');
    try {
      return await this.#pools.run(packages, (pool) =>
        this.#watch.run(
          () => pool.threads,
          AbortSignal.any([timeout, givenUp]),
          async (memory, signal) => {
            const due: DuePlanningJob = { job, dueAt: Date.now() + ms, memory };
            return (await pool.run(due, { signal })) as PlanningAnswer;
          },
        ),
      );
    } catch (error) {
      if (error instanceof OverMemory) throw error;
      if (givenUp.reason instanceof ConnectError) throw givenUp.reason;
      const failed = this.#poolError(error, timeout.aborted, ms);
      if (job.kind === 'definition' && timeout.aborted) this.#late.set(culpritOf(job), failed);
      throw failed;
    }
  }

  /** New threads, which read the plugins anew; jobs under way finish in the old ones. */
  reload(): void {
    this.#late.clear();
    this.#pools.renew();
  }

  async close(): Promise<void> {
    await this.#pools.close();
  }

  #create(packages: string): Piscina {
    const {
      pluginPaths,
      installed,
      files,
      secretProviders,
      keyConverter,
      valueConverter,
      headerConverter,
      unknownKeys,
      sharing,
      ownTopics,
    } = this.#options;
    const pool = new Piscina({
      filename: PLANNING_THREAD,
      workerData: {
        pluginPaths: [...pluginPaths, ...(installed?.() ?? [])],
        files,
        secretProviders,
        keyConverter,
        valueConverter,
        headerConverter,
        unknownKeys,
        sharing,
        ownTopics,
      },
      // One stays, so that a REST write need not wait for a thread to start.
      minThreads: packages === '' ? 1 : 0,
      maxThreads: this.#options.threads,
      // Nothing waits in it: see FairQueue.
      maxQueue: 1000,
      idleTimeout: 10_000,
      // The default blocks the thread's event loop between jobs, and with it every timer of a plugin.
      atomics: 'disabled',
      resourceLimits: { maxOldGenerationSizeMb: this.#options.memory.hardMb },
    });
    // Errors of threads without a job, and a close that took too long; unheard they would end this actor.
    pool.on('error', this.#options.onStray);
    pool.on('message', (message: unknown) => {
      const line = parseLine(message);
      if (line !== null) this.#options.onLine?.(line);
      const request = parseRequest(message);
      if (request !== null) this.#options.onPositions?.(request);
    });
    return pool;
  }

  #poolError(error: unknown, timedOut: boolean, ms: number): ConnectError {
    const message = error instanceof Error ? error.message : String(error);
    if (timedOut) {
      return new ConnectError(
        `the connector did not answer within ${ms} ms${ms < this.#options.timeoutMs ? '' : ' (planning.timeout.ms)'} and was stopped`,
        { code: 'PLANNING_TIMEOUT', cause: error },
      );
    }
    if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      return this.#outOfMemory(error);
    return new ConnectError(`the connector's planning failed: ${message}`, {
      code: 'PLANNING_FAILED',
      cause: error,
    });
  }

  #outOfMemory(cause: unknown): ConnectError {
    const mb = Math.round(this.#options.memory.markBytes / MEGABYTE);
    return new ConnectError(
      `the connector took more than the ${mb} MB that validating and planning may have, and was stopped`,
      { code: 'PLANNING_OUT_OF_MEMORY', cause },
    );
  }
}

function culpritOf(job: PlanningJob): string {
  if (job.kind === 'definition') return `${job.class} ${job.version ?? ''}`;
  const { config } = job;
  return config['connector.class'] ?? config['connector-class'] ?? config['value.converter'] ?? '';
}

/** Of the queue itself: it is full, or nobody waits any more. */
function asPlanningFailed(error: unknown): never {
  if (error instanceof ConnectError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  throw new ConnectError(`it was not planned: ${message}`, { code: 'PLANNING_FAILED', cause: error });
}
