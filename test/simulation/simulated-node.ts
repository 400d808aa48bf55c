import { coalesce } from '#troupe/actors/coalesce.js';
import type { ConfigSyncProtocol } from '#troupe/actors/config-sync/protocol.js';
import { Membership } from '#troupe/actors/discovery/membership.js';
import type { DiscoveryProtocol } from '#troupe/actors/discovery/protocol.js';
import { createLease, renewLease } from '#troupe/actors/kernel/lease.js';
import type { PersistenceProtocol } from '#troupe/actors/persistence/protocol.js';
import { startRebalancer } from '#troupe/actors/rebalancer/behavior.js';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import type { TaskActorContext } from '#troupe/actors/task/parts.js';
import { pendingSignals } from '#troupe/core/connectors/signals.js';
import type { NodeRef } from '#troupe/core/model.js';
import type { LogProtocol } from '#troupe/actors/log/protocol.js';
import { Endpoint } from './endpoint.js';
import { Connection } from './connection.js';
import { DISCOVERY, LOG, NOBODY_RESTS, NO_SYSTEM, REBALANCER } from './node-settings.js';
import { NodeReplicas } from './node-replicas.js';
import { planTasks, signalling } from './planning.js';
import { TaskSupervisor } from './task-supervisor.js';
import { Process, Thread } from './virtual-time.js';
import type { World } from './world.js';
import { ownMetrics } from '../support/metrics.js';

const PASSIVATE_AFTER_MS = 600;

export type OnEnd = (node: SimulatedNode, ending: 'crashed' | 'shut down', reason: string) => void;

/** One life of one node: the real actors of its cluster part, over a simulated log, network, clock and supervisor. */
export class SimulatedNode {
  readonly self: NodeRef;
  readonly process: Process;
  readonly replicas: NodeReplicas;
  readonly supervisor: TaskSupervisor;
  readonly #world: World;
  readonly #main: Thread;
  readonly #onEnd: OnEnd;
  readonly #lease = createLease();
  /** What the tasks look at. */
  readonly #tasksLease: SharedArrayBuffer;
  readonly #membership: Membership;
  readonly #discovery: Endpoint<DiscoveryProtocol>;
  readonly #configSync: Endpoint<ConfigSyncProtocol>;
  readonly #persistence: Endpoint<PersistenceProtocol>;
  readonly #rebalancer: Endpoint<RebalancerProtocol>;
  readonly #log: Endpoint<LogProtocol>;
  #rebalancerThread: Thread;
  #joined = false;

  constructor(world: World, self: NodeRef, onEnd: OnEnd) {
    this.#world = world;
    this.self = self;
    this.#onEnd = onEnd;
    this.process = new Process(world.random);
    this.#main = new Thread(this.process, self.id);
    this.#rebalancerThread = this.#main;
    this.#tasksLease = world.leaseChecked ? this.#lease : endless();
    this.replicas = new NodeReplicas(world, self, this.#main);
    this.supervisor = new TaskSupervisor(world, this.#main, this.#taskContext);
    this.#discovery = new Endpoint(world, 'discovery');
    this.#configSync = new Endpoint(world, 'config-sync');
    this.#persistence = new Endpoint(world, 'persistence');
    this.#rebalancer = new Endpoint(world, 'rebalancer');
    this.#log = new Endpoint(world, 'log');
    const context = {
      ...this.#context('discovery', this.#main),
      params: { ...DISCOVERY, workerId: self.id, process: self.incarnation },
      peers: { log: this.#log.ref(this.#main), rebalancer: this.#rebalancer.ref(this.#main) },
    };
    this.#membership = new Membership(context, self, this.replicas.cluster);
  }

  /** It has booted, and is alive. */
  get joined(): boolean {
    return this.#joined && !this.process.dead;
  }

  get leaseValid(): boolean {
    const until = Number(Atomics.load(new BigInt64Array(this.#lease), 0));
    return until > this.process.monotonic(this.#world.time.now);
  }

  start(): void {
    this.run(() => {
      this.#boot().catch(this.#crash);
    });
  }

  /** Does something as this node. */
  run(action: () => void): void {
    this.#world.time.after(0, action, this.#main);
  }

  /** Stops in order: the tasks first, then it says goodbye. */
  async leave(): Promise<void> {
    this.#rebalancerThread.end();
    this.#rebalancer.down();
    await Promise.all(this.supervisor.tasks.map(({ params }) => this.supervisor.stop(params.unit)));
    await this.#membership.leave();
  }

  /** The rebalancer's thread ends, and a new one finds the tasks running. */
  crashRebalancer(): void {
    if (!this.joined || this.#rebalancerThread.gone) return;
    this.#world.invariants.note(`rebalancer of ${this.self.incarnation} crashes`);
    this.#rebalancerThread.end();
    this.supervisor.unwatch();
    this.#rebalancer.down();
    this.#startRebalancer();
  }

  readonly #crash = (error: unknown): void => {
    this.#onEnd(this, 'crashed', error instanceof Error ? error.message : String(error));
  };

  /** In the order of the tree. */
  async #boot(): Promise<void> {
    const { cluster, positions, offsets, config } = this.replicas;
    await cluster.boot();
    await this.#membership.join();
    this.#discovery.up(this.#main, {
      tell: {
        status: (status) => this.#membership.report(status),
        acquit: ({ unit, epoch }) => this.#membership.acquit(unit, epoch),
      },
      ask: {
        view: () => this.#membership.view(),
        quarantine: (request) => this.#membership.quarantine(request),
        claim: (word) => this.#membership.claim(word),
        release: ({ unit, epoch }) => this.#membership.release(unit, epoch),
      },
    });
    await Promise.all([positions.boot(), offsets.boot()]);
    const open = this.replicas.open.bind(this.replicas);
    this.#persistence.up(this.#main, {
      tell: {},
      ask: { open: ({ unit, epoch, kind }) => open(unit, epoch, kind) },
    });
    await config.boot();
    this.replicas.follow(this.#crash);
    this.#publishConfigs();
    this.#configSync.up(this.#main, {
      tell: {},
      ask: {
        plan: (request) => planTasks(this.#world.random, config, request),
        ...signalling(this.#world.random, this.self.id, config),
      },
    });
    this.#joined = true;
    this.#startRebalancer();
  }

  #publishConfigs(): void {
    const { config } = this.replicas;
    const rebalancer = this.#rebalancer.ref(this.#main);
    const publish = coalesce(5, () => {
      const { connectors, signals } = config.state;
      rebalancer.tell('configsChanged', {
        connectors: [...connectors.values()],
        signals: pendingSignals(signals),
      });
    });
    config.onApplied(publish);
    config.onReplaced(publish);
    rebalancer.onChange((up) => {
      if (up) publish();
    });
  }

  #startRebalancer(): void {
    const thread = new Thread(this.process, 'rebalancer');
    this.#rebalancerThread = thread;
    const start = async (): Promise<void> => {
      const context = {
        ...this.#context('rebalancer', thread),
        params: { ...REBALANCER, quarantine: this.#world.quarantine, passivateAfterMs: PASSIVATE_AFTER_MS },
        peers: {
          log: this.#log.ref(thread),
          discovery: this.#discovery.ref(thread),
          'config-sync': this.#configSync.ref(thread),
        },
      };
      const log = new Connection(this.#world, thread).log();
      const running = await startRebalancer(context, () => Promise.resolve(log));
      this.#rebalancer.up(thread, running.handlers);
    };
    this.#world.time.after(1 + this.#world.random.next(50), () => void start().catch(this.#crash), thread);
  }

  readonly #taskContext = (
    params: TaskActorContext['params'],
    thread: Thread,
    signal: AbortSignal,
    incarnation: number,
    crash: (error: unknown) => void,
    passivate: (memo: unknown) => void,
  ): TaskActorContext => ({
    ...this.#context(params.unit, thread),
    params,
    signal,
    incarnation,
    crash,
    passivate,
    lease: this.#tasksLease,
    peers: {
      log: this.#log.ref(thread),
      persistence: this.#persistence.ref(thread),
      rebalancer: this.#rebalancer.ref(thread),
    },
  });

  #context(id: string, thread: Thread) {
    return {
      id,
      incarnation: 1,
      log: LOG,
      lease: this.#lease,
      metrics: ownMetrics(),
      signal: new AbortController().signal,
      system:
        thread === this.#main || id === 'rebalancer'
          ? this.supervisor.system((reason) => {
              this.#onEnd(this, 'shut down', reason);
            })
          : NO_SYSTEM,
      crash: this.#crash,
      passivate: NOBODY_RESTS,
    };
  }
}

function endless(): SharedArrayBuffer {
  const lease = createLease();
  renewLease(lease, Number.MAX_SAFE_INTEGER);
  return lease;
}
