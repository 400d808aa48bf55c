import type {
  ActorSpec,
  ChildState,
  ExitReason,
  SystemEvent,
  SystemRef,
} from '#troupe/actors/kernel/protocol.js';
import { isTaskParams } from '#troupe/actors/rebalancer/task-spec.js';
import type { TaskActorContext } from '#troupe/actors/task/parts.js';
import type { UnitKey } from '#troupe/core/model.js';
import { SimulatedTask } from './simulated-task.js';
import { Thread, type Process } from './virtual-time.js';
import type { World } from './world.js';

type TaskParams = TaskActorContext['params'];

interface Child {
  params: TaskParams;
  spec: ActorSpec;
  /** It is passive. */
  rest: { readonly memo: unknown } | null;
  /** It was, and has no task yet. */
  waking: boolean;
  task: SimulatedTask | null;
  incarnation: number;
  /** Of the thread that there is: each has one of its own, as its listeners stay for as long as it lives. */
  stopping: AbortController;
  removed: boolean;
  /** Whoever waits for its start. */
  settled: () => void;
}

/** What a thread of this process is given besides its own. */
export type ContextOf = (
  params: TaskParams,
  thread: Thread,
  signal: AbortSignal,
  incarnation: number,
  crash: (error: unknown) => void,
  passivate: (memo: unknown) => void,
) => TaskActorContext;

const STOP_DEADLINE_MS = 900;

/** Starts, restarts and stops the tasks of one node, as the real supervisor does with threads. */
export class TaskSupervisor {
  readonly #world: World;
  readonly #process: Process;
  readonly #main: Thread;
  readonly #contextOf: ContextOf;
  readonly #children = new Map<UnitKey, Child>();
  #listener: ((event: SystemEvent) => void) | null = null;

  constructor(world: World, main: Thread, contextOf: ContextOf) {
    this.#world = world;
    this.#process = main.process;
    this.#main = main;
    this.#contextOf = contextOf;
  }

  system(onShutdown: (reason: string) => void): SystemRef {
    return {
      startChild: (_supervisor, spec) => this.#add(spec),
      replaceSpec: (_supervisor, spec) => {
        const child = this.#children.get(spec.id);
        const { params } = spec;
        if (child !== undefined && isTaskParams(params)) Object.assign(child, { params, spec });
        return Promise.resolve();
      },
      stopChild: (id) => this.stop(id),
      children: () => {
        const passive = [...this.#children.values()].filter(({ rest }) => rest !== null);
        this.#world.coverage.saw('passive task found by a new rebalancer', passive.length);
        return Promise.resolve(
          [...this.#children].map(([id, child]) => ({
            id,
            state: stateOf(child),
            params: child.params,
            memo: child.rest?.memo,
          })),
        );
      },
      metrics: () => Promise.reject(new Error('there are no metrics in the simulation')),
      logLevels: () => Promise.reject(new Error('there are no levels in the simulation')),
      setLogLevel: () => Promise.reject(new Error('there are no levels in the simulation')),
      tree: () => Promise.reject(new Error('there is no tree in the simulation')),
      watch: (_supervisor, listener) => {
        this.#listener = listener;
      },
      shutdown: onShutdown,
    };
  }

  get tasks(): readonly SimulatedTask[] {
    return [...this.#children.values()].flatMap(({ task }) => (task === null ? [] : [task]));
  }

  /** Those that have nothing to do, and no thread, and those that are just being woken. */
  get passive(): readonly TaskParams[] {
    return [...this.#children.values()].flatMap(({ params, rest, waking, removed }) =>
      (rest === null && !waking) || removed ? [] : [params],
    );
  }

  /** Units whose task was told to stop, and is still there. */
  get stopping(): readonly UnitKey[] {
    return [...this.#children].flatMap(([unit, { removed }]) => (removed ? [unit] : []));
  }

  /** The rebalancer that was watching is gone. */
  unwatch(): void {
    this.#listener = null;
  }

  /** The thread of one task ends in the middle of what it does. */
  crash(unit: UnitKey): void {
    const child = this.#children.get(unit);
    if (child?.task !== null && child !== undefined) this.#failed(child, child.task, 'it crashed');
  }

  async #add(spec: ActorSpec): Promise<void> {
    const { params } = spec;
    if (!isTaskParams(params)) throw new Error(`not a task: ${spec.id}`);
    const passive = this.#children.get(spec.id);
    if (passive?.rest) {
      this.#world.coverage.saw('passive task woken');
      Object.assign(passive, { params, spec, rest: null, waking: true });
      await this.#start(passive);
      return;
    }
    if (passive !== undefined) throw new Error(`there is a task ${spec.id} already`);
    const child: Child = {
      params,
      spec,
      rest: null,
      waking: false,
      task: null,
      incarnation: 0,
      stopping: new AbortController(),
      removed: false,
      settled: () => undefined,
    };
    this.#children.set(spec.id, child);
    await this.#start(child);
  }

  /** Resolves when it was started, or failed and waits to be started again. */
  #start(child: Child): Promise<void> {
    const { time, random, invariants } = this.#world;
    child.incarnation += 1;
    child.stopping = new AbortController();
    const thread = new Thread(this.#process, child.spec.id);
    return new Promise((resolve) => {
      child.settled = resolve;
      const begin = (): void => {
        if (child.removed) return resolve();
        // Said by the supervisor's thread, after the task's own has ended.
        const crash = (error: unknown): void => {
          const message = error instanceof Error ? error.message : String(error);
          time.after(
            1,
            () => {
              this.#failed(child, task, message);
            },
            this.#main,
          );
        };
        const context = this.#contextOf(
          child.params,
          thread,
          child.stopping.signal,
          child.incarnation,
          crash,
          (memo) => {
            void this.#passivate(child, task, memo);
          },
        );
        const task = new SimulatedTask(this.#world, context, thread);
        child.task = task;
        child.waking = false;
        invariants.exists(task);
        task.start().then(() => {
          this.#emit({ type: 'started', id: child.spec.id, incarnation: child.incarnation });
          time.after(1, resolve, this.#main);
          task.done.catch(crash);
        }, crash);
      };
      time.after(1 + random.next(150), begin, thread);
    });
  }

  /** It stops by itself, in order. */
  async #passivate(child: Child, task: SimulatedTask, memo: unknown): Promise<void> {
    child.stopping.abort();
    // One that fails on its way is started again.
    if (!(await task.done.then(yes, no)) || child.task !== task || child.removed) return;
    this.#world.time.after(
      1,
      () => {
        if (child.task !== task || child.removed) return;
        this.#end(child);
        child.rest = { memo };
        this.#world.coverage.saw('task gave up its thread');
        const reason: ExitReason = { code: 'PASSIVE', message: 'it has nothing to do' };
        const { id } = child.spec;
        this.#emit({ type: 'exited', id, incarnation: child.incarnation, reason, restartInMs: null, memo });
      },
      this.#main,
    );
  }

  #failed(child: Child, task: SimulatedTask, message: string): void {
    if (child.task !== task) return;
    this.#end(child);
    child.settled();
    const { time, random } = this.#world;
    const restartInMs = 50 + random.next(250);
    const reason: ExitReason = { code: 'CRASH', message };
    this.#emit({ type: 'exited', id: child.spec.id, incarnation: child.incarnation, reason, restartInMs });
    time.after(
      restartInMs,
      () => {
        if (!child.removed) void this.#start(child);
      },
      this.#main,
    );
  }

  #end(child: Child): void {
    const { task } = child;
    if (task === null) return;
    child.task = null;
    task.thread.end();
    this.#world.invariants.ended(task);
  }

  /** Asked to stop, then made to. */
  async stop(id: UnitKey): Promise<void> {
    const child = this.#children.get(id);
    if (child === undefined) return;
    child.removed = true;
    const { time } = this.#world;
    const { task } = child;
    if (task !== null) {
      await new Promise<void>((resolve) => {
        time.after(STOP_DEADLINE_MS, resolve, this.#main);
        const stop = (): void => {
          child.stopping.abort();
          const gone = (): void => {
            time.after(1, resolve, this.#main);
          };
          task.done.then(gone, gone);
        };
        time.after(1, stop, task.thread);
      });
      this.#end(child);
      child.settled();
    }
    // Asked to stop it twice, by a rebalancer and its successor: by now another may stand in its place.
    if (this.#children.get(id) === child) this.#children.delete(id);
  }

  #emit(event: SystemEvent): void {
    this.#world.time.after(
      1,
      () => {
        this.#listener?.(event);
      },
      this.#main,
    );
  }
}

const yes = (): boolean => true;
const no = (): boolean => false;

function stateOf({ task, removed, rest }: Child): ChildState {
  if (removed) return 'stopping';
  if (rest !== null) return 'passive';
  return task === null ? 'backoff' : 'running';
}
