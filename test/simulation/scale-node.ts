import { coalesce } from '#troupe/actors/coalesce.js';
import type { ConfigSyncProtocol } from '#troupe/actors/config-sync/protocol.js';
import { Membership } from '#troupe/actors/discovery/membership.js';
import type { DiscoveryProtocol } from '#troupe/actors/discovery/protocol.js';
import { createLease } from '#troupe/actors/kernel/lease.js';
import type { SystemRef } from '#troupe/actors/kernel/protocol.js';
import rebalancerBehavior from '#troupe/actors/rebalancer/behavior.js';
import type { RebalancerProtocol } from '#troupe/actors/rebalancer/protocol.js';
import { isTaskParams } from '#troupe/actors/rebalancer/task-spec.js';
import type { TaskParams } from '#troupe/actors/task/protocol.js';
import type { ClusterEntry, ClusterResult, ClusterState } from '#troupe/core/cluster/cluster-machine.js';
import type { ConfigEntry, ConfigResult, ConfigState } from '#troupe/core/connectors/config-machine.js';
import type { NodeRef, UnitKey } from '#troupe/core/model.js';
import type {
  OffsetEntry,
  OffsetState,
  PositionEntry,
  PositionState,
  ProgressResult,
} from '#troupe/core/progress/progress-machine.js';
import type { LogProtocol } from '#troupe/actors/log/protocol.js';
import { ConnectError } from '#troupe/sdk/errors.js';
import { Endpoint } from './endpoint.js';
import { LOG, NOBODY_RESTS, REBALANCER } from './node-settings.js';
import { sleep } from './plugins.js';
import { ScaleTask, taskConfigs } from './scale-tasks.js';
import type { ReplicaOfNode, SharedReplica } from './scale-replicas.js';
import type { ScaleTopics } from './scale-topics.js';
import { Thread, type Process } from './virtual-time.js';
import type { World } from './world.js';
import { ownMetrics } from '../support/metrics.js';

/** The parameters' defaults: conf/connect.conf. */
const DISCOVERY = {
  workerId: '',
  logSettings: { kind: 'embedded' as const },
  restUrl: 'http://10.120.130.140:8082',
  topic: '',
  heartbeatMs: 1000,
  leaseMs: 3000,
  evictionMs: 5000,
};
export const HEARTBEAT_MS = DISCOVERY.heartbeatMs;
const MAX_MOVES = 4;

/** The copies that a group of nodes shares. */
export interface SharedStates {
  readonly cluster: SharedReplica<ClusterState, ClusterEntry, ClusterResult>;
  readonly config: SharedReplica<ConfigState, ConfigEntry, ConfigResult>;
  readonly positions: SharedReplica<PositionState, PositionEntry, ProgressResult>;
  readonly offsets: SharedReplica<OffsetState, OffsetEntry, ProgressResult>;
}

type NodeStates = { [K in keyof SharedStates]: ReturnType<SharedStates[K]['join']> };

/** A node with the real discovery and rebalancer, as simulated-node.ts, and tasks that only report their progress. */
export class ScaleNode {
  readonly self: NodeRef;
  readonly process: Process;
  readonly states: NodeStates;
  readonly tasks = new Map<UnitKey, ScaleTask>();
  readonly #world: World;
  readonly #topics: ScaleTopics;
  readonly #main: Thread;
  readonly #lease = createLease();
  readonly #membership: Membership;
  readonly #discovery: Endpoint<DiscoveryProtocol>;
  readonly #configSync: Endpoint<ConfigSyncProtocol>;
  readonly #rebalancer: Endpoint<RebalancerProtocol>;
  readonly #onCrash: (message: string) => void;

  constructor(
    world: World,
    topics: ScaleTopics,
    self: NodeRef,
    process: Process,
    shared: SharedStates,
    onCrash: (message: string) => void,
  ) {
    this.#world = world;
    this.#topics = topics;
    this.#onCrash = onCrash;
    this.self = self;
    this.process = process;
    this.#main = new Thread(process, self.id);
    const writer = { node: self.id, incarnation: self.incarnation };
    this.states = {
      cluster: shared.cluster.join(writer, this.#main),
      config: shared.config.join(writer, this.#main),
      positions: shared.positions.join(writer, this.#main),
      offsets: shared.offsets.join(writer, this.#main),
    };
    this.#discovery = new Endpoint(world, 'discovery');
    this.#configSync = new Endpoint(world, 'config-sync');
    this.#rebalancer = new Endpoint(world, 'rebalancer');
    const context = {
      ...this.#context('discovery'),
      params: { ...DISCOVERY, workerId: self.id, process: self.incarnation },
      peers: {
        log: new Endpoint<LogProtocol>(world, 'log').ref(this.#main),
        rebalancer: this.#rebalancer.ref(this.#main),
      },
    };
    this.#membership = new Membership(context, self, this.states.cluster);
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

  async #boot(): Promise<void> {
    const { config } = this.states;
    await this.#membership.join();
    this.#discovery.up(this.#main, {
      tell: { status: (status) => this.#membership.report(status) },
      ask: {
        view: () => this.#membership.view(),
        claim: (word) => this.#membership.claim(word),
        release: ({ unit, epoch }) => this.#membership.release(unit, epoch),
      },
    });
    this.#publishConfigs();
    this.#configSync.up(this.#main, {
      tell: {},
      ask: {
        plan: async ({ name }) => ({
          ...(await plan(this.#world, config, name)),
          replanAfterMs: null,
          warning: null,
        }),
      },
    });
    const running = await rebalancerBehavior.start({
      ...this.#context('rebalancer'),
      params: { ...REBALANCER, maxMoves: MAX_MOVES },
      peers: {
        log: new Endpoint<LogProtocol>(this.#world, 'log').ref(this.#main),
        discovery: this.#discovery.ref(this.#main),
        'config-sync': this.#configSync.ref(this.#main),
      },
    });
    this.#rebalancer.up(this.#main, running.handlers);
  }

  #publishConfigs(): void {
    const { config } = this.states;
    const rebalancer = this.#rebalancer.ref(this.#main);
    const publish = coalesce(5, () => {
      rebalancer.tell('configsChanged', { connectors: [...config.state.connectors.values()] });
    });
    config.onApplied(publish);
    rebalancer.onChange((up) => {
      if (up) publish();
    });
  }

  readonly #crash = (error: unknown): void => {
    this.#onCrash(
      `${this.self.incarnation}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
    );
  };

  #context(id: string) {
    return {
      id,
      incarnation: 1,
      log: LOG,
      lease: this.#lease,
      metrics: ownMetrics(),
      signal: new AbortController().signal,
      system: this.#system(),
      crash: this.#crash,
      passivate: NOBODY_RESTS,
    };
  }

  #system(): SystemRef {
    const unused = (): never => {
      throw new Error('not in this simulation');
    };
    return {
      startChild: (_supervisor, { id, params }) => {
        if (!isTaskParams(params)) throw new Error(`not a task: ${id}`);
        return this.#startTask(params);
      },
      replaceSpec: unused,
      stopChild: async (id) => {
        await this.tasks.get(id)?.stop();
        this.tasks.delete(id);
      },
      children: () => Promise.resolve([]),
      tree: unused,
      metrics: unused,
      logLevels: unused,
      setLogLevel: unused,
      watch: () => undefined,
      shutdown: this.#crash,
    };
  }

  async #startTask(params: TaskParams): Promise<void> {
    const { unit, epoch } = params;
    const task = new ScaleTask(params, this.#topics, this.process, this.#world);
    this.tasks.set(unit, task);
    await task.start(this.states);
    this.#rebalancer
      .ref(this.#main)
      .tell('taskState', { unit, epoch, incarnation: 1, state: 'RUNNING', stalled: null });
  }
}

/** As config-sync plans, with no plugin to ask. */
async function plan(
  { random }: World,
  replica: ReplicaOfNode<ConfigState, ConfigEntry, ConfigResult>,
  name: string,
): Promise<Extract<ConfigResult, { ok: true }>> {
  const present = replica.state.connectors.get(name);
  if (present === undefined) {
    throw new ConnectError(`Connector ${name} not found`, { code: 'CONNECTOR_NOT_FOUND' });
  }
  await sleep(1 + random.next(150));
  const configs = taskConfigs(present);
  const result = await replica.submit({ type: 'TASKS', name, connectorVersion: present.version, configs });
  if (!result.ok) throw new ConnectError(result.message, { code: result.code });
  return result;
}
