import type { LogProtocol } from '../../log/embedded/protocol.js';
import { openLog } from '../../log/open.js';
import { behavior } from '../kernel/behavior.js';
import type { ActorContext } from '../kernel/protocol.js';
import type { PersistenceProtocol } from '../persistence/protocol.js';
import type { RebalancerProtocol } from '../rebalancer/protocol.js';
import { Gate } from './gate.js';
import { PluginCalls, type Stall } from './plugin-calls.js';
import type { TaskParams, TaskProtocol } from './protocol.js';
import { startSink } from './sink-task.js';
import { startSource } from './source-task.js';
import { loadTask } from './load-task.js';

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

/** One task in one thread: the plugin, its converters and transforms, and the loop that moves its records. */
export default behavior<TaskProtocol, TaskPeers, TaskParams>({
  async start(context) {
    const { params, signal } = context;
    const gate = new Gate(context.lease, signal);
    const report = new StateReport(context);
    const calls = new PluginCalls(params.settings.stallTimeoutMs, (stall) => {
      if (stall !== null) context.log.warn({ call: stall.call }, 'the plugin does not return from this call');
      report.stalled(stall);
    });
    followTarget(context, gate);
    const loaded = await loadTask(params);
    const log = openLog(context.peers.log);
    const parts = { context, log, gate, calls, report };
    const started =
      loaded.kind === 'source' ? await startSource(parts, loaded) : await startSink(parts, loaded);
    report.running();
    started.done.catch((error: unknown) => {
      context.crash(error);
    });
    return {
      handlers: { tell: {}, ask: {} },
      stop: async () => {
        await started.done;
        calls.close();
        await log.close();
      },
    };
  },
});

export interface TaskParts {
  readonly context: TaskActorContext;
  readonly log: ReturnType<typeof openLog>;
  readonly gate: Gate;
  readonly calls: PluginCalls;
  readonly report: StateReport;
}

/** Long-polls the target state. While the rebalancer is away the last word holds. */
function followTarget(context: TaskActorContext, gate: Gate): void {
  const { rebalancer } = context.peers;
  const { unit, epoch } = context.params;
  let known: 'RUNNING' | 'PAUSED' | 'STOPPED' | null = null;
  const next = async (): Promise<void> => {
    while (!context.signal.aborted && rebalancer.up) {
      const reply = await rebalancer.ask(
        'target',
        { unit, epoch, known },
        { deadlineMs: 3_600_000, signal: context.signal },
      );
      known = reply.state;
      gate.setTarget(known);
    }
  };
  let polling = false;
  rebalancer.onChange((up) => {
    if (!up || polling) return;
    polling = true;
    next()
      .catch(() => {
        // Down or out of time: onChange says when there is one to ask again.
      })
      .finally(() => {
        polling = false;
      });
  });
}

/** Tells the rebalancer what this task is doing; said again when a new rebalancer comes up. */
export class StateReport {
  readonly #context: TaskActorContext;
  #state: 'RUNNING' | 'PAUSED' | null = null;
  #stall: Stall | null = null;

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

  stalled(stall: Stall | null): void {
    this.#stall = stall;
    this.#tell();
  }

  #tell(): void {
    const { unit, epoch } = this.#context.params;
    if (this.#state === null && this.#stall === null) return;
    this.#context.peers.rebalancer.tell('taskState', {
      unit,
      epoch,
      state: this.#state ?? 'RUNNING',
      stalled: this.#stall,
    });
  }
}
