/** The contract between actors: types only. */
import type { Backoff } from '../../core/backoff.js';
import type { Intensity } from '../../core/restart-window.js';
import type { LevelName, LoggerLevel } from '../../core/logger-levels.js';
import type { MetricsWriter } from './metrics-writer.js';

/** What an actor can be told (no answer) and asked (one answer). Payloads are structured-cloneable. */
export interface Protocol {
  tell: Record<string, unknown>;
  ask: Record<string, { request: unknown; reply: unknown }>;
}

export type ActorId = string;

export type TellKind<P extends Protocol> = keyof P['tell'] & string;
export type AskKind<P extends Protocol> = keyof P['ask'] & string;

export interface AskOptions {
  /** After this many milliseconds the ask fails with ASK_TIMEOUT; the work itself may still be done. */
  readonly deadlineMs: number;
  readonly transfer?: readonly ArrayBuffer[];
  readonly signal?: AbortSignal;
}

/** A way to reach one actor, whichever incarnation of it is running. */
export interface Ref<P extends Protocol> {
  readonly id: ActorId;
  readonly up: boolean;
  /** False when the actor is down or its mailbox is full: the message is not delivered. */
  tell<K extends TellKind<P>>(kind: K, payload: P['tell'][K], transfer?: readonly ArrayBuffer[]): boolean;
  /** Fails with ActorError: ACTOR_DOWN (at once, also while waiting), ASK_TIMEOUT, MAILBOX_FULL, or the remote error. */
  ask<K extends AskKind<P>>(
    kind: K,
    request: P['ask'][K]['request'],
    options: AskOptions,
  ): Promise<P['ask'][K]['reply']>;
  /** Calls back when the actor goes down or a new incarnation is reachable (and at once with the present state). */
  onChange(listener: (up: boolean, incarnation: number) => void): () => void;
}

/** One handler for each message: a forgotten one does not compile. */
export interface Handlers<P extends Protocol> {
  tell: { readonly [K in TellKind<P>]: (payload: P['tell'][K], from: ActorId) => void };
  ask: {
    readonly [K in AskKind<P>]: (
      request: P['ask'][K]['request'],
      call: AskCall,
    ) => P['ask'][K]['reply'] | Promise<P['ask'][K]['reply']>;
  };
}

export interface AskCall {
  readonly from: ActorId;
  /** Aborted when the asker is gone, has given up or its deadline has passed. */
  readonly signal: AbortSignal;
  /** Buffers to move, not copy, with the reply. */
  transfer(buffers: readonly ArrayBuffer[]): void;
}

/** The same shape as pino's, so that it is one: fields first, then the message. */
export interface ActorLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(bindings: object, options?: LoggerOfChild): ActorLogger;
}

export interface LoggerOfChild {
  /** A name that its lines have besides those of its parent: levels are set by names. */
  readonly logger?: string;
}

export interface ActorContext<Peers extends { [K in keyof Peers]: Protocol }, Params> {
  readonly id: ActorId;
  /** Counts the starts of this actor in this process, from 1. */
  readonly incarnation: number;
  readonly params: Params;
  readonly peers: { readonly [K in keyof Peers]: Ref<Peers[K]> };
  readonly system: SystemRef;
  readonly log: ActorLogger;
  /** Aborted when the actor is asked to stop. */
  readonly signal: AbortSignal;
  /** What it counts, over all its threads: see metrics-writer.ts. */
  readonly metrics: MetricsWriter;
  /** Shared lease: see lease.ts. */
  readonly lease: SharedArrayBuffer;
  /** The actor cannot go on: its thread ends and the supervisor decides. Also what an uncaught error does. */
  crash(error: unknown): void;
  /**
   * The actor has nothing to do, or is to be started anew: it is stopped as by its supervisor, the signal at once, and its thread goes. Its place stays,
   * with `memo` (structured-cloneable) for whoever wakes it, which is done by `SystemRef.startChild`. For added children only.
   */
  passivate(memo: unknown): void;
}

export interface RunningActor<P extends Protocol> {
  readonly handlers: Handlers<P>;
  /** Finish in order: flush, commit, close. The thread is ended by force after the child spec's stop deadline. */
  stop?(): Promise<void> | void;
  /** For work that ends by itself: when it resolves, the actor is stopped as NORMAL. */
  readonly done?: Promise<void>;
}

/** An actor module's default export. The supervisor counts the actor as started when `start` resolves. */
export interface Behavior<P extends Protocol, Peers extends { [K in keyof Peers]: Protocol }, Params> {
  start(context: ActorContext<Peers, Params>): Promise<RunningActor<P>> | RunningActor<P>;
}

// --- The supervisor, as its children see it. ---

export type Restart = 'permanent' | 'transient' | 'temporary';
export type Strategy = 'one_for_one' | 'rest_for_one';

export type { Backoff, Intensity };

/** One actor = one thread. */
export interface ActorSpec {
  readonly kind: 'actor';
  readonly id: ActorId;
  /** URL of the module whose default export is the Behavior. */
  readonly module: string;
  /** URL of the file of its thread, which has loaded `module` already: kernel/actor-host.ts. Default: the kernel's own. */
  readonly thread?: string;
  /** Of those with the same, that file runs the same functions: what was compiled for one serves the next. Default: all. */
  readonly codeKind?: string;
  readonly params: unknown;
  /** Actors it talks to; channels are made, and made anew, by the supervisor. They need not be running yet. */
  readonly peers: readonly ActorId[];
  /** Names of its loggers: that of all its lines, and those that some of them have besides. Default: its id. */
  readonly loggers?: readonly string[];
  readonly restart: Restart;
  /** Of this child alone, where `whenExhausted` is 'giveUp'; else the supervisor's counts. */
  readonly intensity?: Intensity;
  /** 'escalate' (OTP's rule): the supervisor itself fails. 'giveUp': only this child stays down, and is reported. */
  readonly whenExhausted: 'escalate' | 'giveUp';
  readonly backoff: Backoff;
  /** Codes of errors that another start does not mend, where `whenExhausted` is 'giveUp': it stays down at once. */
  readonly finalErrors?: readonly string[];
  readonly startDeadlineMs: number;
  readonly stopDeadlineMs: number;
  /** No beat for this long: the thread is terminated as hung. */
  readonly beatDeadlineMs: number;
  readonly heap: {
    readonly maxOldMb: number;
    readonly maxYoungMb?: number;
    /** Share of maxOldMb. */ readonly softLimit: number;
    /** Outside the heap: Buffers, large strings. Absent: not looked at. */
    readonly maxExternalMb?: number;
  };
}

export interface SupervisorSpec {
  readonly kind: 'supervisor';
  readonly id: ActorId;
  readonly strategy: Strategy;
  readonly intensity: Intensity;
  readonly restart: Restart;
  readonly backoff: Backoff;
  readonly children: readonly ChildSpec[];
}

export type ChildSpec = ActorSpec | SupervisorSpec;

/** `passive`: it has no thread, as it has nothing to do, and waits to be woken. */
export type ChildState = 'starting' | 'running' | 'stopping' | 'backoff' | 'passive' | 'stopped' | 'failed';

/** Why an actor's thread ended. `code` is stable. */
export interface ExitReason {
  readonly code:
    | 'NORMAL'
    | 'PASSIVE'
    | 'CRASH'
    | 'PROCESS_EXIT'
    | 'START_FAILED'
    | 'START_TIMEOUT'
    | 'STOP_FORCED'
    | 'HUNG'
    | 'HEAP_SOFT_LIMIT'
    | 'HEAP_HARD_LIMIT'
    | 'EXTERNAL_MEMORY_LIMIT'
    | 'NODE_MEMORY_LIMIT'
    | 'THREAD_POOL_LIMIT';
  readonly message: string;
  readonly stack?: string;
  /** The plugin error's own code, where it has one. */
  readonly errorCode?: string;
  /** The error says that another start would not help. */
  readonly final?: true;
}

export interface TreeNode {
  readonly id: ActorId;
  readonly kind: 'actor' | 'supervisor';
  readonly state: ChildState;
  readonly restarts: number;
  readonly strategy?: Strategy;
  readonly threadId?: number;
  readonly incarnation?: number;
  readonly upMs?: number;
  readonly heapUsedBytes?: number;
  readonly heapLimitBytes?: number;
  /** Outside the heap: Buffers, large strings. */
  readonly externalBytes?: number;
  /** Calls for files and host names in the thread pool. */
  readonly poolCalls?: number;
  /** 0 to 1: share of time the event loop was busy. */
  readonly eventLoopUse?: number;
  readonly mailbox?: number;
  readonly lastExit?: ExitReason;
  readonly children?: readonly TreeNode[];
}

/** What is known of the metrics of one actor, which may have no thread now. */
export interface ActorMetrics {
  readonly id: ActorId;
  /** Another one: what it had counted was forgotten meanwhile. */
  readonly born: number;
  /** That of its newest thread. */
  readonly life: number;
  readonly thread: 'starting' | 'running' | 'none';
  /** Threads that took the place of one that had failed. */
  readonly restarts: number;
  /** In order: metrics-reader.ts. */
  readonly chunks: readonly SharedArrayBuffer[];
}

export interface MetricsReport {
  readonly version: number;
  /** All of them. */
  readonly ids: readonly ActorId[];
  readonly changed: readonly ActorMetrics[];
}

export type SystemEvent =
  | { readonly type: 'started'; readonly id: ActorId; readonly incarnation: number }
  /** Its thread was ended, but is held in native code: it does not go on, and cannot be replaced. */
  | {
      readonly type: 'stuck';
      readonly id: ActorId;
      readonly incarnation: number;
      readonly reason: ExitReason;
    }
  | {
      readonly type: 'exited';
      readonly id: ActorId;
      readonly incarnation: number;
      readonly reason: ExitReason;
      /** Milliseconds until it is started again; null: it is not. */
      readonly restartInMs: number | null;
      /** Of an actor that gives up alone and is started again: how many more starts there may be after that. */
      readonly restartsLeft?: number;
      /** What it has left where the reason is PASSIVE. */
      readonly memo?: unknown;
    };

export interface SystemRef {
  /**
   * Adds an actor below a one_for_one supervisor and starts it; resolves when it was started, is waiting for its
   * backoff or has ended. One that is passive is woken: it starts with this spec, as its next incarnation. Refused with a REMOTE_ERROR whose remoteCode is BAD_CHILD_SPEC, DUPLICATE_CHILD,
   * UNKNOWN_SUPERVISOR, NOT_DYNAMIC or SUPERVISOR_STOPPING.
   */
  startChild(supervisor: ActorId, spec: ActorSpec): Promise<void>;
  /**
   * What the child of that id, which was added by startChild, is started with from its next start on; its thread of now goes on. Of
   * one that is gone: nothing. Refused as startChild is.
   */
  replaceSpec(supervisor: ActorId, spec: ActorSpec): Promise<void>;
  /** Of a child that was added by startChild (else NOT_DYNAMIC). Resolves when the thread is gone. Unknown ids resolve at once. */
  stopChild(id: ActorId): Promise<void>;
  /** Ids below a supervisor with their state: what a restarted rebalancer finds. */
  children(supervisor: ActorId): Promise<
    readonly {
      readonly id: ActorId;
      readonly state: ChildState;
      readonly lastExit?: ExitReason;
      readonly params: unknown;
      /** What a passive one has left. */
      readonly memo?: unknown;
    }[]
  >;
  /** The live tree. Its figures are read from shared memory, at most a beat old; no thread is asked. */
  tree(): Promise<TreeNode>;
  /** The metrics of all actors: what has changed since the report of that version; 0: all. */
  metrics(since: number): Promise<MetricsReport>;
  /** The loggers of the node, by name. */
  logLevels(): Promise<readonly LoggerLevel[]>;
  /**
   * Sets the level of a logger of this node and of those below it. Resolves with the names of those that had another one.
   * Refused with a REMOTE_ERROR whose remoteCode is LOGGERS_TOO_MANY or LOGGER_INVALID.
   */
  setLogLevel(logger: string, level: LevelName): Promise<readonly string[]>;
  /** Events of the children of one supervisor, from now on. */
  watch(supervisor: ActorId, listener: (event: SystemEvent) => void): void;
  /** Ask for an orderly end of the whole process. */
  shutdown(reason: string): void;
}
