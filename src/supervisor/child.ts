import type {
  ActorId,
  ChildSpec,
  ChildState,
  ExitReason,
  Intensity,
  TreeNode,
} from '../actors/kernel/protocol.js';
import { RestartWindow } from '../core/restart-window.js';
import type { Runner } from './runner.js';
import { isAlive, type Slot } from './strategy.js';

/** What a supervisor remembers of one child, over all its runs. */
export class Child implements Slot {
  spec: ChildSpec;
  readonly dynamic: boolean;
  /** Its own restarts: how far its backoff has come, and where it gives up alone, when. */
  readonly window: RestartWindow;
  state: ChildState = 'stopped';
  wanted = true;
  condemned = false;
  due = false;
  hasRun = false;
  restarts = 0;
  incarnation = 0;
  runner: Runner | null = null;
  lastExit: ExitReason | null = null;
  /** Of its last exit, where it is passive. */
  memo: unknown = undefined;
  /** Restarts since it last ran. */
  #inVain = 0;
  #startedAt = 0;
  #cancelTimer: (() => void) | null = null;
  #waiters: { readonly until: (child: Child) => boolean; readonly resolve: () => void }[] = [];

  constructor(
    spec: ChildSpec,
    options: { readonly dynamic: boolean; readonly supervisorIntensity: Intensity },
  ) {
    this.spec = spec;
    this.dynamic = options.dynamic;
    const own = spec.kind === 'actor' ? spec.intensity : undefined;
    this.window = new RestartWindow(own ?? options.supervisorIntensity);
  }

  get id(): ActorId {
    return this.spec.id;
  }

  /** Exhausted restarts cost only this child. */
  get givesUpAlone(): boolean {
    return this.spec.kind === 'actor' && this.spec.whenExhausted === 'giveUp';
  }

  /** Its own error says that it must not be started again. */
  endedForGood({ code, errorCode, final }: ExitReason): boolean {
    if (this.spec.kind !== 'actor' || !this.givesUpAlone) return false;
    if (code !== 'CRASH' && code !== 'START_FAILED') return false;
    return final === true || (errorCode !== undefined && this.spec.finalErrors?.includes(errorCode) === true);
  }

  /**
   * Notes a restart that is about to be made; false when it is one too many. Those that never came to run count however
   * long they took: one that hangs for a minute each time would else never be too many in any period.
   */
  mayRestart(nowMs: number): boolean {
    this.#inVain += 1;
    return this.window.record(nowMs) && this.#inVain <= this.window.most;
  }

  /** How many more may follow the one that was noted last. */
  restartsLeft(nowMs: number): number {
    return Math.max(0, this.window.most - Math.max(this.window.count(nowMs), this.#inVain));
  }

  become(state: ChildState): void {
    this.state = state;
    for (const waiter of this.#waiters) if (waiter.until(this)) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => !waiter.until(this));
  }

  /** Resolves when its state satisfies the condition; those who wait are callers that the supervisor has accepted. */
  when(until: (child: Child) => boolean): Promise<void> {
    if (until(this)) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ until, resolve }));
  }

  ran(nowMs: number): void {
    this.hasRun = true;
    this.#inVain = 0;
    this.#startedAt = nowMs;
    this.become('running');
  }

  /** It is passive, and starts again as soon as its supervisor looks. */
  wake(spec: ChildSpec): void {
    this.spec = spec;
    this.memo = undefined;
    this.become('stopped');
  }

  /** `schedule` calls back when the wait is over, and returns how to cancel it. */
  backOff(schedule: (onDue: () => void) => () => void): void {
    this.due = false;
    this.#cancelTimer = schedule(() => {
      this.due = true;
    });
    this.become('backoff');
  }

  /** Ends a wait for the next try; one that runs is not touched. */
  cancelBackoff(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.state === 'backoff') this.become('stopped');
  }

  describe(nowMs: number): TreeNode {
    const { id, kind } = this.spec;
    return {
      id,
      kind,
      state: this.state,
      restarts: this.restarts,
      ...(isAlive(this) ? { incarnation: this.incarnation } : {}),
      ...(this.state === 'running' ? { upMs: nowMs - this.#startedAt } : {}),
      ...(this.spec.kind === 'supervisor' ? { strategy: this.spec.strategy } : {}),
      ...this.runner?.describe(),
      ...(this.lastExit === null ? {} : { lastExit: this.lastExit }),
    };
  }
}
