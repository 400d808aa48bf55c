import type {
  ActorSpec,
  ChildSpec,
  ExitReason,
  SupervisorSpec,
  SystemEvent,
} from '../actors/kernel/protocol.js';
import { nextDelayMs } from '../core/backoff.js';
import { RestartWindow } from '../core/restart-window.js';
import { Child } from './child.js';
import type { Runner, RunnerEvents, RunnerFigures } from './runner.js';
import { isAlive, nextActions } from './strategy.js';
import { SystemError } from './system-error.js';

/** What a supervisor needs of the world; tests give it another. */
export interface SupervisorWorld {
  makeRunner(spec: ChildSpec, incarnation: number, events: RunnerEvents): Runner;
  /** Counts an actor's starts over the restarts of its supervisor, too. */
  nextIncarnation(id: string): number;
  forget(id: string): void;
  emit(supervisor: string, event: SystemEvent): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  random(): number;
  /** Returns how to cancel it. */
  schedule(delayMs: number, action: () => void): () => void;
}

/**
 * One run of a supervisor. Whatever happens (a child starts or exits, a backoff is over, somebody asks for something)
 * changes the state of a child and then asks `nextActions` what to do: no step waits inside another, so a stop during a
 * start or a backoff needs no special case.
 */
export class SupervisorNode implements Runner {
  readonly spec: SupervisorSpec;
  readonly #world: SupervisorWorld;
  readonly #events: RunnerEvents;
  readonly #window: RestartWindow;
  readonly #children: Child[];
  #phase: 'up' | 'going' | 'gone' = 'up';
  #announced = false;
  #reason: ExitReason = { code: 'NORMAL', message: 'stopped' };

  constructor(spec: SupervisorSpec, world: SupervisorWorld, events: RunnerEvents) {
    this.spec = spec;
    this.#world = world;
    this.#events = events;
    this.#window = new RestartWindow(spec.intensity);
    this.#children = spec.children.map((child) => this.#newChild(child, false));
    this.#advance();
  }

  stop(): void {
    if (this.#phase !== 'up') return;
    this.#phase = 'going';
    queueMicrotask(this.#events.stopping);
    for (const child of this.#children) {
      child.wanted = false;
      child.cancelBackoff();
    }
    this.#advance();
  }

  describe(): RunnerFigures {
    const now = this.#world.now();
    return { strategy: this.spec.strategy, children: this.#children.map((child) => child.describe(now)) };
  }

  get children(): readonly Child[] {
    return this.#children;
  }

  async startChild(spec: ActorSpec): Promise<void> {
    if (this.spec.strategy !== 'one_for_one') {
      throw new SystemError(
        'NOT_DYNAMIC',
        `${this.spec.id} is ${this.spec.strategy}: children are added to one_for_one only`,
      );
    }
    if (this.#phase !== 'up') {
      throw new SystemError('SUPERVISOR_STOPPING', `${this.spec.id} is stopping: ${spec.id} was not started`);
    }
    const passive = this.#children.find(({ id, state }) => id === spec.id && state === 'passive');
    const child = passive ?? this.#newChild(spec, true);
    if (passive === undefined) this.#children.push(child);
    else child.wake(spec);
    this.#advance();
    await child.when(
      ({ state, wanted }) =>
        state === 'running' || state === 'backoff' || state === 'passive' || (!wanted && !isAlive({ state })),
    );
  }

  /** For its next starts. */
  replaceSpec(spec: ActorSpec): void {
    const child = this.#children.find(({ id }) => id === spec.id);
    if (child === undefined) return;
    if (!child.dynamic)
      throw new SystemError('NOT_DYNAMIC', `${spec.id} belongs to the tree itself: its spec does not change`);
    child.spec = spec;
  }

  async stopChild(id: string): Promise<void> {
    const child = this.#children.find((each) => each.id === id);
    if (child === undefined) return;
    if (!child.dynamic) {
      throw new SystemError(
        'NOT_DYNAMIC',
        `${id} belongs to the tree itself: only added children are stopped alone`,
      );
    }
    child.wanted = false;
    child.cancelBackoff();
    this.#advance();
    await child.when((each) => !isAlive(each));
    this.#remove(child);
  }

  #newChild(spec: ChildSpec, dynamic: boolean): Child {
    return new Child(spec, { dynamic, supervisorIntensity: this.spec.intensity });
  }

  #remove(child: Child): void {
    const index = this.#children.indexOf(child);
    if (index < 0) return;
    this.#children.splice(index, 1);
    this.#world.forget(child.id);
  }

  #advance(): void {
    if (this.#phase === 'gone') return;
    const { start, stop } = nextActions(this.spec.strategy, this.#children);
    for (const index of stop) this.#children[index]?.runner?.stop();
    for (const index of start) {
      const child = this.#children[index];
      if (child !== undefined) this.#start(child);
    }
    this.#announce();
  }

  #announce(): void {
    if (this.#phase === 'going' && !this.#children.some(isAlive)) {
      this.#phase = 'gone';
      for (const child of this.#children) if (child.dynamic) this.#world.forget(child.id);
      queueMicrotask(() => {
        this.#events.exited(this.#reason);
      });
    }
    const ready = this.#children.every((child) => child.dynamic || child.hasRun || !child.wanted);
    if (this.#phase === 'up' && ready && !this.#announced) {
      this.#announced = true;
      queueMicrotask(this.#events.started);
    }
  }

  #start(child: Child): void {
    if (child.lastExit !== null && child.lastExit.code !== 'PASSIVE') child.restarts += 1;
    child.incarnation = this.#world.nextIncarnation(child.id);
    child.due = false;
    child.become('starting');
    child.runner = this.#world.makeRunner(child.spec, child.incarnation, {
      started: () => {
        if (child.state !== 'starting') return;
        child.ran(this.#world.now());
        this.#world.emit(this.spec.id, { type: 'started', id: child.id, incarnation: child.incarnation });
        this.#advance();
      },
      stopping: () => {
        if (isAlive(child)) child.become('stopping');
      },
      stuck: (reason) => {
        child.lastExit = reason;
        const { id, incarnation } = child;
        this.#world.emit(this.spec.id, { type: 'stuck', id, incarnation, reason });
      },
      exited: (reason, memo) => {
        this.#exited(child, reason, memo);
      },
    });
  }

  #exited(child: Child, reason: ExitReason, memo: unknown): void {
    child.runner = null;
    child.lastExit = reason;
    child.memo = memo;
    const restartInMs = this.#afterExit(child, reason);
    this.#world.emit(this.spec.id, {
      type: 'exited',
      id: child.id,
      incarnation: child.incarnation,
      reason,
      restartInMs,
      ...(restartInMs !== null && child.givesUpAlone
        ? { restartsLeft: child.restartsLeft(this.#world.now()) }
        : {}),
      ...(reason.code === 'PASSIVE' ? { memo } : {}),
    });
    this.#advance();
  }

  /** Milliseconds to its next start; null: there is none. */
  #afterExit(child: Child, reason: ExitReason): number | null {
    if (!child.wanted || child.condemned) {
      child.condemned = false;
      child.become('stopped');
      return child.wanted ? 0 : null;
    }
    if (reason.code === 'PASSIVE' && child.dynamic) {
      child.become('passive');
      return null;
    }
    const { restart } = child.spec;
    if (restart === 'temporary' || (restart === 'transient' && reason.code === 'NORMAL')) {
      child.wanted = false;
      child.become(reason.code === 'NORMAL' ? 'stopped' : 'failed');
      return null;
    }
    if (this.spec.strategy === 'rest_for_one') this.#condemnAfter(child);
    return this.#restartLater(child, reason);
  }

  #condemnAfter(child: Child): void {
    for (const later of this.#children.slice(this.#children.indexOf(child) + 1)) {
      later.cancelBackoff();
      later.condemned = isAlive(later);
    }
  }

  #restartLater(child: Child, reason: ExitReason): number | null {
    const now = this.#world.now();
    const withinOwn = child.mayRestart(now);
    const within = child.givesUpAlone ? withinOwn : this.#window.record(now);
    if (!within || child.endedForGood(reason)) {
      child.wanted = false;
      child.become('failed');
      if (!child.givesUpAlone) this.#fail(child, reason);
      return null;
    }
    const delayMs = nextDelayMs(child.spec.backoff, child.window.count(now), this.#world.random());
    child.backOff((onDue) =>
      this.#world.schedule(delayMs, () => {
        onDue();
        this.#advance();
      }),
    );
    return delayMs;
  }

  /** OTP's escalation: this supervisor goes down, and its own supervisor decides. */
  #fail(child: Child, reason: ExitReason): void {
    const { restarts, periodMs } = this.spec.intensity;
    this.#reason = {
      ...reason,
      message: `${this.spec.id} gave up: more than ${restarts} restarts in ${periodMs} ms, the last of ${child.id} (${reason.code}: ${reason.message})`,
    };
    this.stop();
  }
}
