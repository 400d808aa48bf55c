/** What the loops of a task are given, whatever kind it is. */
import type { Log } from '../../log/log.js';
import type { RunningConfig, Stall, StatusProgress } from '../../core/model.js';
import type { TaskProgress } from '../../sdk/plugin.js';
import { hideSecrets } from '../kernel/known-secrets.js';
import type { ActorContext } from '../kernel/protocol.js';
import type { LogProtocol } from '../log/protocol.js';
import type { PersistenceProtocol } from '../persistence/protocol.js';
import type { RebalancerProtocol } from '../rebalancer/protocol.js';
import type { Gate } from './gate.js';
import type { Changes } from './hot-config.js';
import { Notes } from './notes.js';
import type { PluginCalls } from './plugin-calls.js';
import type { TaskParams } from './protocol.js';
import { Seldom } from './seldom.js';
import type { TaskCounters } from './task-counters.js';
import type { Signals } from './signals.js';
import { Stalls } from './stalls.js';
import type { Throttling } from './throttling.js';

/** Characters. */
const MAX_PROGRESS = 500;

export interface TaskPeers {
  log: LogProtocol;
  persistence: PersistenceProtocol;
  rebalancer: RebalancerProtocol;
}

export type TaskActorContext = ActorContext<TaskPeers, TaskParams>;

/** A started task: its loop runs until the signal, then `done` resolves with everything flushed and committed. */
export interface StartedTask {
  readonly done: Promise<void>;
}

export interface TaskParts {
  readonly context: TaskActorContext;
  readonly log: Log;
  readonly gate: Gate;
  readonly calls: PluginCalls;
  readonly report: StateReport;
  readonly counters: TaskCounters;
  readonly signals: Signals;
  readonly throttling: Throttling;
  readonly changes: Changes;
}

/** Tells the rebalancer what this task is doing; said again when a new rebalancer comes up. */
export class StateReport {
  readonly #context: TaskActorContext;
  #state: 'RUNNING' | 'PAUSED' | null = null;
  readonly #stalls = new Stalls(
    () => performance.now(),
    () => {
      this.#tell();
    },
  );
  #skipped = 0;
  readonly #seldom = new Seldom(
    () => performance.now(),
    () => {
      this.#tell();
    },
  );
  readonly #notes = new Notes(() => {
    this.#seldom.soon();
  });
  #progress: StatusProgress | null = null;
  #config: RunningConfig | null = null;

  constructor(context: TaskActorContext) {
    this.#context = context;
    context.peers.rebalancer.onChange((up) => {
      if (up) this.#tell();
    });
  }

  /** Started; a task that began paused has said so already. */
  running(): void {
    this.#state ??= 'RUNNING';
    this.#tell();
  }

  paused(paused: boolean): void {
    this.#state = paused ? 'PAUSED' : 'RUNNING';
    this.#tell();
  }

  /** See `Stalls`. */
  stalled(noticed: string, stall: Stall | null): void {
    this.#stalls.set(noticed, stall);
  }

  /** Bad records, since the task started. */
  skipped(total: number): void {
    this.#skipped = total;
    this.#tell();
  }

  /** See `Notes`. */
  note(code: string, message: string | null): void {
    this.#notes.set(code, message);
  }

  /** Which config it runs with. */
  config(config: RunningConfig): void {
    this.#config = config;
    this.#tell();
  }

  /** How far a long work is; null: it is over. */
  progress(said: TaskProgress | null): void {
    if (said === null && this.#progress === null) return;
    const at = Date.now();
    this.#progress = said && {
      ...said,
      text: hideSecrets(said.text, MAX_PROGRESS),
      since: this.#progress?.since ?? at,
      at,
    };
    this.#seldom.soon();
  }

  #tell(): void {
    const { incarnation, params } = this.#context;
    const { unit, epoch } = params;
    const stalled = this.#stalls.longest;
    const notes = this.#notes.all;
    if (this.#state === null && stalled === null) return;
    this.#context.peers.rebalancer.tell('taskState', {
      unit,
      epoch,
      incarnation,
      state: this.#state ?? 'RUNNING',
      stalled,
      ...(this.#skipped > 0 && { skipped: this.#skipped }),
      ...(notes.length > 0 && { notes }),
      ...(this.#progress && { progress: this.#progress }),
      ...(this.#config && { config: this.#config }),
    });
  }
}
