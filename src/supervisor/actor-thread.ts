import { receiveMessageOnPort, type Transferable } from 'node:worker_threads';
import { waiting, type ChannelEnd, type Counters } from '../actors/kernel/channel.js';
import type { Begin, SystemRequest, ThreadData, ThreadFile, ToThread } from '../actors/kernel/control.js';
import { isNodeStopping } from '../actors/kernel/lease.js';
import type { LogOptions } from '../actors/kernel/logging.js';
import type { MetricsMemory } from '../actors/kernel/metrics-writer.js';
import type { ActorId, ActorSpec, ExitReason } from '../actors/kernel/protocol.js';
import { toWireError, type WireError } from '../actors/kernel/wire-error.js';
import type { Runner, RunnerEvents, RunnerFigures } from './runner.js';
import { parseFromThread } from './thread-messages.js';
import { newThread, type Thread } from './thread-worker.js';
import { VitalSigns } from './vital-signs.js';

const MEGABYTE = 1024 * 1024;
/** A thread that survives its termination this long is stuck in native code: it ends with the process. */
const TERMINATION_PATIENCE_MS = 10_000;
/** From its last word to its end. What a plugin hung on `process.exit` is given no more. */
const LEAVE_MS = 5000;

export interface ThreadOptions {
  readonly incarnation: number;
  readonly channels: readonly ChannelEnd[];
  readonly lease: SharedArrayBuffer;
  readonly log: LogOptions;
  readonly metrics: MetricsMemory;
  /** A thread that has loaded the actor's module already; null: it is made anew. */
  readonly spare: Thread | null;
  /** What the thread runs; null: the modules of the kernel. */
  readonly file: ThreadFile | null;
  /** It is to give what was compiled of that. */
  readonly givesCode: boolean;
  readonly onCode: (compiled: SharedArrayBuffer) => void;
  readonly onRequest: (request: SystemRequest) => void;
  readonly onProblem: (message: string) => void;
  /** The node stops, and the thread cannot be ended: it is counted as gone. */
  readonly onStuck: () => void;
}

export interface ThreadUsage {
  readonly bytes: number;
  /** So long it has not said how much: it may be more by now. */
  readonly silentMs: number;
  readonly poolCalls: number;
}

/** One incarnation of an actor: its Worker, from start to exit. */
export class ActorThread implements Runner {
  readonly spec: ActorSpec;
  readonly incarnation: number;
  #state: 'starting' | 'running' | 'stopping' | 'leaving' | 'terminating' | 'gone' = 'starting';
  /** Time in this state, as the watchdog counts it. */
  #stateMs = 0;
  readonly #events: RunnerEvents;
  readonly #options: ThreadOptions;
  readonly #signs = new VitalSigns();
  readonly #inbound = new Map<ActorId, Counters>();
  #thread: Thread | null = null;
  /** Why we end it; stands above what the thread says. */
  #verdict: ExitReason | null = null;
  #lastWord: ExitReason | null = null;
  /** It has said that it has nothing to do. */
  #rest: { readonly memo: unknown } | null = null;

  constructor(spec: ActorSpec, options: ThreadOptions, events: RunnerEvents) {
    this.spec = spec;
    this.incarnation = options.incarnation;
    this.#options = options;
    this.#events = events;
    try {
      this.#thread = this.#spawn();
    } catch (error) {
      this.#lastWord = exitReason('START_FAILED', toWireError(error));
      for (const end of options.channels) end.port.close();
      void options.spare?.worker.terminate();
      setImmediate(() => {
        this.#exited(1);
      });
    }
  }

  /** Its handlers answer. */
  get running(): boolean {
    return this.#state === 'running';
  }

  /** It can be handed channels to its peers. */
  get alive(): boolean {
    return this.#state !== 'gone';
  }

  /** What its ending may be judged by: only a task's thread, which others do without, may be ended for their sake. */
  usage(): ThreadUsage | null {
    if (this.#state !== 'running' || this.spec.whenExhausted !== 'giveUp') return null;
    const { silentMs, reading } = this.#signs;
    return {
      bytes: reading.heapUsedBytes + reading.externalBytes,
      silentMs,
      poolCalls: reading.poolCalls,
    };
  }

  /** Ends the thread at once, for the sake of the others. */
  end(reason: ExitReason): void {
    this.#terminate(reason);
  }

  /** Ends the thread at once, between any two of its instructions: a fault like any other. */
  kill(): void {
    this.#terminate({ code: 'CRASH', message: 'the thread was killed' });
  }

  post(message: ToThread): void {
    const transfer: Transferable[] = 'end' in message ? [message.end.port] : [];
    this.#thread?.port.postMessage(message, transfer);
  }

  serve(end: ChannelEnd): void {
    this.#inbound.set(end.peer, end.counters);
    this.post({ type: 'serve', end });
  }

  /** The asker at the other end is gone. */
  forget(asker: ActorId): void {
    this.#inbound.delete(asker);
  }

  stop(): void {
    this.#askToStop(null);
  }

  /**
   * One look of the watchdog; `elapsedMs` is the time since the one before. All deadlines are counted here and not by
   * timers, which would all be overdue when a suspended process goes on.
   */
  watch(elapsedMs: number): void {
    const before = this.#stateMs;
    this.#stateMs += elapsedMs;
    const passed = (deadlineMs: number): boolean => before <= deadlineMs && this.#stateMs > deadlineMs;
    const { id, startDeadlineMs, stopDeadlineMs } = this.spec;
    if (this.#state === 'running') {
      this.#watchSigns(elapsedMs);
    } else if (this.#state === 'starting' && passed(startDeadlineMs)) {
      this.#terminate({ code: 'START_TIMEOUT', message: `did not start within ${startDeadlineMs} ms` });
    } else if (this.#state === 'stopping' && passed(stopDeadlineMs)) {
      this.#terminate(
        this.#verdict ?? { code: 'STOP_FORCED', message: `did not stop within ${stopDeadlineMs} ms` },
      );
    } else if (this.#state === 'leaving' && passed(LEAVE_MS)) {
      this.#terminate(this.#verdict ?? this.#lastWord ?? { code: 'CRASH', message: 'it did not end' });
    } else if (this.#state === 'terminating' && this.#stateMs > TERMINATION_PATIENCE_MS) {
      if (passed(TERMINATION_PATIENCE_MS)) {
        this.#options.onProblem(
          `the thread of ${id} does not end, though terminated: it is stuck in native code`,
        );
        const { code, message } = this.#verdict ?? { code: 'STOP_FORCED', message: 'it was terminated' };
        this.#events.stuck({
          code,
          message: `${message}; its thread is stuck in a call of native code that cannot be ended: the next one starts when that call returns, or with the next start of this node`,
        });
      }
      // What is stopped after it would else never be: no line of its code runs any more.
      if (isNodeStopping(this.#options.lease)) {
        this.#options.onStuck();
        this.#exited(1);
      }
    }
  }

  #watchSigns(elapsedMs: number): void {
    const fault = this.#signs.look(elapsedMs, this.spec);
    if (fault === null) return;
    if (fault.turns) this.#askToStop(fault.reason);
    else this.#terminate(fault.reason);
  }

  sampleLoop(): void {
    if (this.#thread !== null && this.#state !== 'gone') this.#signs.sampleLoop(this.#thread.worker);
  }

  describe(): RunnerFigures {
    if (this.#thread === null || this.#state === 'gone') return {};
    const { loopUse, reading } = this.#signs;
    const { heapUsedBytes, externalBytes, poolCalls } = reading;
    let mailbox = 0;
    for (const counters of this.#inbound.values()) mailbox += waiting(counters);
    return {
      threadId: this.#thread.worker.threadId,
      heapUsedBytes,
      externalBytes,
      poolCalls,
      heapLimitBytes: this.spec.heap.maxOldMb * MEGABYTE,
      ...(loopUse === undefined ? {} : { eventLoopUse: loopUse }),
      mailbox,
    };
  }

  #spawn(): Thread {
    const { spec, incarnation } = this;
    const { channels, lease, log, metrics, spare, file, givesCode } = this.#options;
    const data: Omit<ThreadData, 'port'> = {
      id: spec.id,
      incarnation,
      module: spec.module,
      params: spec.params,
      peers: spec.peers,
      channels,
      pulse: this.#signs.pulse,
      metrics,
      softLimitBytes: spec.heap.maxOldMb * MEGABYTE * spec.heap.softLimit,
      externalLimitBytes:
        spec.heap.maxExternalMb === undefined ? Infinity : spec.heap.maxExternalMb * MEGABYTE,
      beatDeadlineMs: spec.beatDeadlineMs,
      lease,
      log: {
        ...log,
        names: [spec.loggers?.[0] ?? spec.id],
        bindings: { ...log.bindings, actor: spec.id },
      },
      givesCode,
      ...(file !== null && { file }),
    };
    const ports = channels.map((end) => end.port);
    const thread = spare ?? newThread(spec.id, data, spec, ports);
    const { worker, port } = thread;
    if (spare !== null) {
      const begin: Begin = { type: 'begin', data };
      port.postMessage(begin, ports);
    }
    port.on('message', (message: unknown) => {
      this.#receive(message);
    });
    port.ref();
    worker.on('error', (error: unknown) => {
      const wire = toWireError(error);
      this.#lastWord ??= exitReason(
        wire.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'HEAP_HARD_LIMIT' : 'CRASH',
        wire,
      );
    });
    worker.on('exit', (code) => {
      // Its last word may still be on its way.
      for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
        this.#receive((last as { readonly message: unknown }).message);
      }
      port.close();
      this.#exited(code);
    });
    return thread;
  }

  #receive(raw: unknown): void {
    const message = parseFromThread(raw);
    if (message === null) {
      this.#options.onProblem(`${this.spec.id} posted something that is not a message to the supervisor`);
      return;
    }
    switch (message.type) {
      case 'started':
        this.#started();
        return;
      case 'finished':
        this.#askToStop(null);
        return;
      case 'passivate':
        this.#rest = { memo: message.memo };
        this.#askToStop(null);
        return;
      case 'code':
        this.#options.onCode(message.compiled);
        return;
      case 'stopped':
        this.#leaves(
          this.#rest === null
            ? { code: 'NORMAL', message: 'stopped' }
            : { code: 'PASSIVE', message: 'it has nothing to do' },
        );
        return;
      case 'failed':
        this.#leaves(exitReason(message.during === 'start' ? 'START_FAILED' : 'CRASH', message.error));
        return;
      default:
        this.#options.onRequest(message);
    }
  }

  /** It has said why it ends, and goes now. */
  #leaves(lastWord: ExitReason): void {
    this.#lastWord ??= lastWord;
    if (this.#state === 'terminating' || this.#state === 'gone') return;
    this.#become('leaving');
    queueMicrotask(this.#events.stopping);
  }

  #started(): void {
    if (this.#state !== 'starting') return;
    this.#become('running');
    this.#events.started();
  }

  #askToStop(verdict: ExitReason | null): void {
    if (this.#state !== 'starting' && this.#state !== 'running') return;
    this.#verdict = verdict;
    this.#become('stopping');
    this.post({ type: 'stop' });
    queueMicrotask(this.#events.stopping);
  }

  #terminate(verdict: ExitReason): void {
    this.#verdict = verdict;
    this.#become('terminating');
    queueMicrotask(this.#events.stopping);
    // The exit event tells the end of it.
    void this.#thread?.worker.terminate();
  }

  #exited(code: number): void {
    if (this.#state === 'gone') return;
    this.#become('gone');
    this.#thread = null;
    const exit: ExitReason = {
      code: 'PROCESS_EXIT',
      message: `process.exit(${code}) was called in its thread`,
    };
    this.#events.exited(this.#verdict ?? this.#lastWord ?? exit, this.#rest?.memo);
  }

  #become(state: 'running' | 'stopping' | 'leaving' | 'terminating' | 'gone'): void {
    this.#state = state;
    this.#stateMs = 0;
  }
}

function exitReason(code: ExitReason['code'], error: WireError): ExitReason {
  return {
    code,
    message: error.message,
    ...(error.stack === null ? {} : { stack: error.stack }),
    ...(error.code === null ? {} : { errorCode: error.code }),
    ...(error.final === true ? { final: true } : {}),
  };
}
