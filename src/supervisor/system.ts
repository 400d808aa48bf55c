import { allowCollections } from '../actors/kernel/collect-garbage.js';
import type { SystemRequest } from '../actors/kernel/control.js';
import { announceStop, createLease, monotonicMs } from '../actors/kernel/lease.js';
import { parseLevel, type LevelName } from '../core/logger-levels.js';
import { LogLevels } from '../actors/kernel/log-levels.js';
import { createLogger, type LogOptions } from '../actors/kernel/logging.js';
import type {
  ActorId,
  ActorLogger,
  ActorSpec,
  ChildSpec,
  ChildState,
  ExitReason,
  MetricsReport,
  SupervisorSpec,
  SystemEvent,
  TreeNode,
} from '../actors/kernel/protocol.js';
import { ActorThread } from './actor-thread.js';
import { checkTree } from './check-spec.js';
import { CompiledCode } from './compiled-code.js';
import { Loggers, SUPERVISOR_LOGGER } from './loggers.js';
import { MetricsLedger } from './metrics-ledger.js';
import { MemoryWatch } from './memory-watch.js';
import { PoolWatch } from './pool-watch.js';
import type { Runner, RunnerEvents } from './runner.js';
import { watchShared, type WatchedThreads } from './shared-watch.js';
import { SpareThreads, type SpareSpec } from './spare-threads.js';
import { SupervisorNode, type SupervisorWorld } from './supervisor-node.js';
import { Switchboard } from './switchboard.js';
import { SystemError } from './system-error.js';
import { ThreadRequests } from './thread-requests.js';
import { Watchdog } from './watchdog.js';

export interface SystemOptions {
  /** For the lines of the supervisor and of every thread. */
  readonly log: LogOptions;
  /** Of whoever writes lines beside them; absent: nobody does. */
  readonly levels?: LogLevels;
  /** What the process may hold in memory before the task that holds most is ended; absent: nobody looks. */
  readonly memoryLimitBytes?: number;
  /** Threads to keep for actors that may have to start at once; absent: none. */
  readonly spares?: SpareSpec;
  /** The root has given up and everything is stopped: one line that says why. */
  readonly onGiveUp: (line: string, reason: ExitReason) => void;
  /** An actor asks for the end of the process; without it, the system stops. */
  readonly onShutdown?: (reason: string) => void;
}

export interface System {
  /** Resolves when all children of the tree have run; rejects when the root gave up or was stopped before. */
  readonly started: Promise<void>;
  tree(): TreeNode;
  /** As `SystemRef.metrics`. */
  metrics(since: number): MetricsReport;
  /** Of those that are kept: how many are ready. */
  readonly spareThreads: number;
  /**
   * Stops everything in order; resolves when no thread is left but those that are stuck in native code, with their
   * actors: they last as long as the process.
   */
  stop(reason: string): Promise<readonly ActorId[]>;
  /** Ends an actor's thread at once, as a fault; its supervisor decides. False: no such thread is running. */
  kill(id: ActorId): boolean;
  /** Events of all supervisors, each with the supervisor's id. Returns how to end it. */
  onEvent(listener: (event: SystemEvent, supervisor: ActorId) => void): () => void;
}

/** Checks the tree (throws SystemError) and starts it. */
export function startSystem(root: SupervisorSpec, options: SystemOptions): System {
  checkTree(root);
  allowCollections();
  return new ActorSystem(root, options);
}

class ActorSystem implements System, SupervisorWorld {
  readonly started: Promise<void>;
  readonly #rootSpec: SupervisorSpec;
  readonly #options: SystemOptions;
  /** Of every thread. */
  readonly #logging: LogOptions;
  readonly #log: ActorLogger;
  readonly #lease = createLease();
  readonly #switchboard = new Switchboard();
  readonly #ledger = new MetricsLedger();
  readonly #code = new CompiledCode(() => this.now());
  readonly #watchdog: Watchdog;
  readonly #spares: SpareThreads | null;
  /** Supervisors that run. */
  readonly #supervisors = new Map<ActorId, SupervisorNode>();
  /** Starts by id; an added child's are forgotten with it. */
  readonly #incarnations = new Map<ActorId, number>();
  readonly #listeners = new Set<(event: SystemEvent, supervisor: ActorId) => void>();
  readonly #stuck: ActorId[] = [];
  readonly #requests: ThreadRequests;
  readonly #startedAt = monotonicMs();
  readonly #stopped: Promise<void>;
  #endWatch: () => void = () => undefined;
  #root: Runner | null = null;
  #state: ChildState = 'starting';
  #stopReason: string | null = null;

  constructor(root: SupervisorSpec, options: SystemOptions) {
    this.#rootSpec = root;
    this.#options = options;
    const levels = options.levels ?? new LogLevels(levelOf(options.log));
    this.#logging = { ...options.log, levels: levels.memory };
    this.#log = createLogger({
      ...this.#logging,
      names: [SUPERVISOR_LOGGER],
      bindings: { ...options.log.bindings, actor: 'supervisor' },
    });
    this.#watchdog = new Watchdog(
      () => this.#switchboard.threads,
      () => this.now(),
    );
    this.#requests = new ThreadRequests(
      {
        supervisors: this.#supervisors,
        tree: () => this.tree(),
        ledger: this.#ledger,
        loggers: new Loggers(levels, () => this.#actors()),
      },
      (reason) => {
        if (options.onShutdown) options.onShutdown(reason);
        else void this.stop(reason);
      },
    );
    const { spares } = options;
    this.#spares =
      spares === undefined
        ? null
        : new SpareThreads(
            spares,
            () => this.#code.file(spares),
            (problem) => {
              this.#log.warn({}, problem);
            },
          );
    let stopped = (): void => undefined;
    this.#stopped = new Promise((resolve) => {
      stopped = resolve;
    });
    this.started = new Promise((resolve, reject) => {
      this.#root = this.makeRunner(root, 1, {
        started: () => {
          this.#state = 'running';
          this.#spares?.refillLater();
          resolve();
        },
        // Asked to, or because it gives up.
        stopping: () => {
          this.#state = 'stopping';
          announceStop(this.#lease);
        },
        stuck: () => undefined,
        exited: (reason) => {
          this.#watchdog.stop();
          this.#endWatch();
          this.#root = null;
          this.#state = this.#stopReason === null ? 'failed' : 'stopped';
          reject(new SystemError('START_ABANDONED', this.#stopReason ?? reason.message));
          void Promise.resolve(this.#spares?.stop()).then(stopped);
          if (this.#stopReason === null) this.#options.onGiveUp(oneLine(reason.message), reason);
        },
      });
    });
    this.started.catch(() => undefined);
    this.#watchdog.start();
    this.#endWatch = this.#watchShared();
  }

  #watchShared(): () => void {
    const threads: WatchedThreads = {
      suspects: () =>
        [...this.#switchboard.threads].flatMap((thread) => {
          const usage = thread.usage();
          return usage === null ? [] : [{ thread, ...usage }];
        }),
      onProblem: (message) => {
        this.#log.error({}, message);
      },
    };
    const { memoryLimitBytes } = this.#options;
    return watchShared([
      new PoolWatch(threads),
      ...(memoryLimitBytes === undefined ? [] : [new MemoryWatch(memoryLimitBytes, threads)]),
    ]);
  }

  /** Of all actors, also of those without a thread at the moment. */
  #actors(): readonly ActorSpec[] {
    return [...this.#supervisors.values()].flatMap(({ children }) =>
      children.flatMap(({ spec }) => (spec.kind === 'actor' ? [spec] : [])),
    );
  }

  get spareThreads(): number {
    return this.#spares?.ready ?? 0;
  }

  tree(): TreeNode {
    const { id, kind } = this.#rootSpec;
    const figures = this.#root?.describe();
    return {
      id,
      kind,
      state: this.#state,
      restarts: 0,
      incarnation: 1,
      upMs: this.now() - this.#startedAt,
      ...figures,
    };
  }

  metrics(since: number): MetricsReport {
    return this.#ledger.since(since);
  }

  async stop(reason: string): Promise<readonly ActorId[]> {
    if (this.#stopReason === null && this.#root !== null) {
      this.#stopReason = reason;
      this.#log.debug({ reason }, 'stopping');
      announceStop(this.#lease);
      this.#root.stop();
    }
    await this.#stopped;
    return this.#stuck;
  }

  kill(id: ActorId): boolean {
    for (const thread of this.#switchboard.threads) {
      if (thread.spec.id !== id) continue;
      thread.kill();
      return true;
    }
    return false;
  }

  onEvent(listener: (event: SystemEvent, supervisor: ActorId) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  // --- What its supervisors need. ---

  makeRunner(spec: ChildSpec, incarnation: number, events: RunnerEvents): Runner {
    return spec.kind === 'supervisor'
      ? this.#makeSupervisor(spec, events)
      : this.#makeThread(spec, incarnation, events);
  }

  nextIncarnation(id: ActorId): number {
    const next = (this.#incarnations.get(id) ?? 0) + 1;
    this.#incarnations.set(id, next);
    return next;
  }

  forget(id: ActorId): void {
    this.#incarnations.delete(id);
  }

  emit(supervisor: ActorId, event: SystemEvent): void {
    this.#report(event);
    for (const listener of [...this.#listeners]) listener(event, supervisor);
    this.#requests.tell(supervisor, event);
  }

  now(): number {
    return monotonicMs();
  }

  random(): number {
    return Math.random();
  }

  schedule(delayMs: number, action: () => void): () => void {
    const timer = setTimeout(action, delayMs);
    return () => {
      clearTimeout(timer);
    };
  }

  #makeSupervisor(spec: SupervisorSpec, events: RunnerEvents): Runner {
    const node = new SupervisorNode(spec, this, {
      ...events,
      exited: (reason) => {
        this.#supervisors.delete(spec.id);
        events.exited(reason);
      },
    });
    this.#supervisors.set(spec.id, node);
    return node;
  }

  #makeThread(spec: ChildSpec & { kind: 'actor' }, incarnation: number, events: RunnerEvents): Runner {
    const options = {
      incarnation,
      channels: this.#switchboard.connectTo(spec),
      lease: this.#lease,
      log: this.#logging,
      metrics: this.#ledger.begin(spec.id),
      spare: this.#spares?.take(spec) ?? null,
      file: this.#code.file(spec),
      givesCode: this.#code.asks(spec),
      onCode: (compiled: SharedArrayBuffer) => {
        this.#code.given(spec, compiled);
      },
      onRequest: (request: SystemRequest) => {
        this.#requests.receive(thread, request);
      },
      onProblem: (problem: string) => {
        this.#log.error({ actor: spec.id }, problem);
      },
      onStuck: () => {
        this.#stuck.push(spec.id);
      },
    };
    const thread: ActorThread = new ActorThread(spec, options, {
      started: () => {
        this.#switchboard.started(thread);
        this.#ledger.started(spec.id);
        events.started();
      },
      stopping: events.stopping,
      stuck: events.stuck,
      exited: (reason, memo) => {
        this.#switchboard.gone(thread);
        this.#requests.gone(thread);
        this.#ledger.ended(spec.id, reason.code !== 'NORMAL' && reason.code !== 'PASSIVE');
        events.exited(reason, memo);
      },
    });
    this.#switchboard.add(thread);
    return thread;
  }

  #report(event: SystemEvent): void {
    const { id, incarnation } = event;
    if (event.type === 'started') {
      this.#log.debug({ id, incarnation }, 'started');
      return;
    }
    if (event.type === 'stuck') return;
    const { reason, restartInMs } = event;
    if (reason.code === 'NORMAL' || reason.code === 'PASSIVE')
      this.#log.debug({ id, incarnation, code: reason.code }, 'stopped');
    else
      this.#log.warn(
        { id, incarnation, code: reason.code, restartInMs, stack: reason.stack },
        `${id} went down: ${reason.message}`,
      );
  }
}

export function levelOf({ level }: LogOptions): LevelName {
  return parseLevel(level) ?? 'OFF';
}

function oneLine(message: string): string {
  return message.replaceAll(/\s*\n\s*/g, ' ');
}
