import {
  StateReport,
  type StartedTask,
  type TaskActorContext,
  type TaskParts,
} from '#troupe/actors/task/parts.js';
import { throttlingOf, UNCHANGED } from '../support/task-parts.js';
import type { FollowTargetOptions } from '#troupe/actors/task/follow-target.js';
import { Gate } from '#troupe/actors/task/gate.js';
import type { LoadedSink, LoadedSource } from '#troupe/actors/task/load-task.js';
import { PluginCalls } from '#troupe/actors/task/plugin-calls.js';
import type { TaskParams } from '#troupe/actors/task/protocol.js';
import { TaskSignals, type Signals } from '#troupe/actors/task/signals.js';
import { startSink } from '#troupe/actors/task/sink/sink-task.js';
import { startSource } from '#troupe/actors/task/source/source-task.js';
import { parseUnitKey } from '#troupe/core/model.js';
import type { SourceTask } from '#troupe/sdk/plugin.js';
import { ANY_FILE } from '#troupe/sdk/testing/any-file.js';
import { parseConfigOrThrow } from '#troupe/sdk/config-parse.js';
import { Connection } from './connection.js';
import { sinkPlugin, sleep, sourcePlugin, type OnCall } from './plugins.js';
import type { Thread } from './virtual-time.js';
import { RECORDS_TOPIC, type World } from './world.js';
import { DEFAULT_TOLERANCE } from '../support/tolerance.js';
import { taskCounters } from '../support/metrics.js';

const FLUSH_MS = 700;

/** A task's thread: the real loops of sources and sinks over simulated plugins, or a task that only waits. */
export class SimulatedTask {
  readonly params: TaskParams;
  readonly thread: Thread;
  readonly gate: Gate;
  /** Of the config that it runs with. */
  version: number;
  readonly #world: World;
  readonly #context: TaskActorContext;
  #over: Promise<void> = Promise.resolve();

  constructor(world: World, context: TaskActorContext, thread: Thread) {
    this.#world = world;
    this.#context = context;
    this.params = context.params;
    this.version = context.params.version;
    this.thread = thread;
    this.gate = new Gate(context.lease, context.signal);
  }

  async start(): Promise<void> {
    const report = new StateReport(this.#context);
    const calls = new PluginCalls(Number.MAX_SAFE_INTEGER, () => undefined);
    // It only watches for calls that do not return.
    calls.close();
    const { unit } = this.params;
    const signals = new TaskSignals({
      unit,
      rebalancer: this.#context.peers.rebalancer,
      gate: this.gate,
      calls,
      log: this.#context.log,
      signal: this.#context.signal,
      timeoutMs: 1e9,
    });
    followTarget(this.#context, this.gate, signals, {
      running: () => ({ generation: this.params.generation, version: this.version }),
      heard: (newer) => {
        if (newer === undefined) return;
        this.#world.invariants.takesOver(this, newer.config);
        this.#world.coverage.saw('changed config taken over by a task that runs');
        this.version = newer.version;
        report.config({ running: this.version });
      },
    });
    const log = new Connection(this.#world, this.thread).log();
    const parts = {
      context: this.#context,
      log,
      gate: this.gate,
      calls,
      report,
      counters: taskCounters(),
      signals,
      throttling: throttlingOf({}),
      changes: UNCHANGED,
    };
    const started = Promise.resolve(this.#startLoop(parts));
    this.#over = started.then(({ done }) => done);
    // A start that fails is heard of below.
    this.#over.catch(() => undefined);
    await started;
    report.running();
  }

  /** Rejects when the task fails, or does not start. */
  get done(): Promise<void> {
    return this.#over;
  }

  #startLoop(parts: TaskParts): StartedTask | Promise<StartedTask> {
    const { config, unit, epoch, taskCount } = this.params;
    const onCall: OnCall = (call) => {
      this.#world.invariants.called(this, call);
    };
    const { connector } = parseUnitKey(unit);
    const sourceOrSink = { taskConfigs: () => [], version: '1', config: [] };
    switch (config['kind']) {
      case 'source': {
        const plugin = sourcePlugin(
          this.#world,
          onCall,
          `${unit} ${epoch} ${this.#context.incarnation}`,
          taskCount,
        );
        Object.assign(plugin, this.#signalled());
        return startSource(parts, {
          ...LOADED,
          kind: 'source',
          topic: RECORDS_TOPIC,
          topicCreation: (_topic, node) => node,
          partitioner: { by: 'key', field: '' },
          exactlyOnce: this.#world.random.next(2) === 0 ? 'requested' : 'disabled',
          transactionMaxBytes: 100_000,
          connector: { ...sourceOrSink, kind: 'source', createTask: () => plugin },
        } satisfies LoadedSource);
      }
      case 'sink': {
        const plugin = sinkPlugin(this.#world, onCall, connector);
        Object.assign(plugin, this.#signalled());
        return startSink(parts, {
          ...LOADED,
          kind: 'sink',
          topics: [RECORDS_TOPIC],
          topicsRegex: null,
          topicsRefreshMs: 30_000,
          shared: false,
          maxAttempts: 1,
          connector: { ...sourceOrSink, kind: 'sink', createTask: () => plugin },
        } satisfies LoadedSink);
      }
      default:
        return { done: this.#wait(parts.signals) };
    }
  }

  #signalled(): Pick<SourceTask, 'signal'> {
    return {
      signal: async ({ id }) => {
        this.#world.invariants.called(this, 'signal');
        await sleep(this.#world.random.next(100));
        return id;
      },
    };
  }

  /** A plugin that does nothing, whenever it may. */
  async #wait(signals: Signals): Promise<void> {
    const { signal } = this.#context;
    const serve = async (): Promise<void> => {
      while (signals.waiting && !signal.aborted) {
        await signals.serve(this.#signalled());
        if (signals.waiting) await this.gate.changed();
      }
    };
    signals.onArrival(() => void serve());
    void serve();
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve());
    });
    await sleep(this.#world.random.next(200));
  }
}

const TEXT = {
  input: 'text',
  instance: {
    fromConnectData: (_topic: string, _schema: unknown, value: unknown) => String(value),
    toConnectData: (_topic: string, value: unknown) => ({ schema: null, value }),
  },
} as const;

const LOADED = {
  config: parseConfigOrThrow([], {}),
  chain: null,
  files: ANY_FILE,
  keyConverter: TEXT,
  valueConverter: TEXT,
  headerConverter: TEXT,
  tolerance: DEFAULT_TOLERANCE,
  deadLetters: null,
  throttle: { recordsPerSecond: 0, bytesPerSecond: 0 },
  offsetFlushIntervalMs: FLUSH_MS,
  limits: { maxRecords: 5, maxBytes: 10_000, lingerMs: 0 },
};

function followTarget(
  context: TaskActorContext,
  gate: Gate,
  signals: TaskSignals,
  config: NonNullable<FollowTargetOptions['config']>,
): void {
  const { rebalancer } = context.peers;
  const { unit, epoch } = context.params;
  let known: Parameters<Gate['setTarget']>[0] | null = null;
  let seen: number | undefined;
  let polling = false;
  const poll = async (): Promise<void> => {
    while (!context.signal.aborted && rebalancer.up) {
      const running = config.running();
      const request = { unit, epoch, known, running, ...(seen !== undefined && { seen }) };
      const reply = await rebalancer.ask('target', request, { deadlineMs: 1e9, signal: context.signal });
      known = reply.state;
      config.heard(reply.config);
      gate.setTarget(known);
      seen = reply.signals?.at(-1)?.offset ?? seen;
      signals.arrived(reply.signals ?? []);
    }
  };
  rebalancer.onChange((up) => {
    if (!up || polling) return;
    polling = true;
    poll()
      .catch(() => undefined)
      .finally(() => {
        polling = false;
      });
  });
}
