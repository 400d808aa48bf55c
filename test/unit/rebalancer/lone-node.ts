import { createLease, monotonicMs, renewLease } from '#troupe/actors/kernel/lease.js';
import type { ActorContext, Ref, SystemRef } from '#troupe/actors/kernel/protocol.js';
import type { ConfigSyncProtocol } from '#troupe/actors/config-sync/protocol.js';
import type { ClusterView, DiscoveryProtocol } from '#troupe/actors/discovery/protocol.js';
import type { RebalancerPeers } from '#troupe/actors/rebalancer/params.js';
import { NodeState } from '#troupe/actors/rebalancer/node-state.js';
import type { RebalancerParams } from '#troupe/actors/rebalancer/params.js';
import { Rebalancer } from '#troupe/actors/rebalancer/rebalancer.js';
import {
  clusterMachine,
  type ClusterEntry,
  type ClusterResult,
} from '#troupe/core/cluster/cluster-machine.js';
import type { ConnectorEntry, NodeRef, Passive, UnitState } from '#troupe/core/model.js';
import { refTo } from '../../support/ref.js';
import { LOG, NOBODY_RESTS, NO_LOG, NO_SYSTEM, REBALANCER } from '../../simulation/node-settings.js';
import { ownMetrics } from '../../support/metrics.js';

const SELF: NodeRef = { id: 'n', incarnation: 'i' };

const CONNECTOR: ConnectorEntry = {
  name: 'c',
  config: {},
  targetState: 'RUNNING',
  version: 1,
  restart: null,
  tasks: { connectorVersion: 1, generation: 2, configs: [{}] },
};

/** The only node of its cluster, with a connector `c` of one task; its supervisor does what the test says. */
export class LoneNode {
  readonly rebalancer: Rebalancer;
  /** Discovery can write to the log. */
  writes = true;
  /** Discovery has room in its mailbox. */
  takes = true;
  /** What discovery was told of any unit. */
  readonly told: UnitState[] = [];
  /** How often the supervisor was asked to start the task, and to stop it. */
  readonly asked = { start: 0, stop: 0 };
  /** Answers the task's start, which is under way. */
  started: (() => void) | null = null;
  readonly #nodeState = new NodeState();
  readonly #cluster = clusterMachine.initial();
  #offset = 0;

  /** `others`: nodes that are there and take nothing. */
  constructor(others = 0) {
    this.#join(SELF, false);
    for (let i = 0; i < others; i += 1) this.#join({ id: `n${i}`, incarnation: 'i' }, true);
    const lease = createLease();
    renewLease(lease, monotonicMs() + 3_600_000);
    const context: ActorContext<RebalancerPeers, RebalancerParams> = {
      id: 'rebalancer',
      incarnation: 1,
      params: REBALANCER,
      peers: {
        log: refTo({}),
        discovery: this.#discovery(),
        'config-sync': refTo<ConfigSyncProtocol>({
          ask: { plan: () => ({ entry: CONNECTOR, replanAfterMs: null, warning: null }) },
        }),
      },
      system: this.#system(),
      log: LOG,
      signal: new AbortController().signal,
      lease,
      metrics: ownMetrics(),
      crash: (error) => {
        throw error;
      },
      passivate: NOBODY_RESTS,
    };
    this.rebalancer = new Rebalancer(context, this.#nodeState, NO_LOG);
    this.#nodeState.setConfigs([CONNECTOR]);
    this.show();
  }

  /** Of the task, as the cluster sees it. */
  get status(): UnitState | undefined {
    return this.#cluster.statuses.get('c/0')?.state;
  }

  /** The rebalancer is told what the cluster is like by now. */
  show(): void {
    this.#nodeState.setCluster(this.#view());
    this.rebalancer.step();
  }

  /** Whether the task is claimed. */
  get claimed(): boolean {
    return this.#cluster.claims.has('c/0');
  }

  /** The connector is there, or deleted. */
  wants(connector: boolean): void {
    this.#nodeState.setConfigs(connector ? [CONNECTOR] : []);
    this.rebalancer.step();
  }

  /** The supervisor tells that the task's thread has ended. */
  exits(restartInMs: number | null, incarnation = 1): void {
    const reason = { code: 'START_FAILED', message: 'no topic', errorCode: 'LOG_UNKNOWN_TOPIC' } as const;
    this.rebalancer.onTaskEvent({ type: 'exited', id: 'c/0', incarnation, reason, restartInMs });
  }

  /** The supervisor tells that the task has given up its thread. */
  rests(memo: unknown, incarnation = 1): void {
    const reason = { code: 'PASSIVE', message: 'it has nothing to do' } as const;
    const event = { type: 'exited', id: 'c/0', incarnation, reason, restartInMs: null, memo } as const;
    this.rebalancer.onTaskEvent(event);
  }

  /** Of the task, as the cluster sees it. */
  get passive(): Passive | undefined {
    return this.#cluster.statuses.get('c/0')?.passive;
  }

  /** The task's thread says that it runs. */
  runs(incarnation = 1): void {
    const epoch = this.#cluster.claims.get('c/0')?.epoch ?? 0;
    this.rebalancer.onTaskState({ unit: 'c/0', epoch, incarnation, state: 'RUNNING', stalled: null });
  }

  #join(node: NodeRef, leaving: boolean): void {
    const member = { ...node, restUrl: '', joinedAt: 0, heartbeatAt: 0, leaving };
    this.#append({ type: 'ONLINE', member }, node);
  }

  #append(entry: ClusterEntry, by = SELF): ClusterResult {
    const writer = { node: by.id, incarnation: by.incarnation };
    return clusterMachine.apply(this.#cluster, entry, { offset: this.#offset++, timestamp: 0, writer })
      .result;
  }

  #view(): ClusterView {
    const { members, claims, statuses } = this.#cluster;
    return {
      self: SELF,
      members: [...members.values()].map((member) => ({ ...member, silentMs: 0 })),
      drained: [],
      claims: [...claims.values()],
      statuses: [...statuses.values()],
      digest: '',
      offset: this.#offset,
    };
  }

  #discovery(): Ref<DiscoveryProtocol> {
    return refTo<DiscoveryProtocol>({
      takes: () => this.takes,
      tell: {
        status: (status) => {
          this.told.push(status.state);
          if (this.writes) this.#append({ type: 'STATUS', status: { ...status, node: SELF } });
        },
      },
      ask: {
        claim: (claim) => {
          const result = this.#append({ type: 'CLAIM', ...claim });
          setImmediate(() => {
            this.show();
          });
          const epoch = (result.ok ? result.epoch : null) ?? 0;
          return { granted: true, epoch, offset: this.#offset };
        },
        release: ({ unit, epoch }) => {
          const { ok } = this.#append({ type: 'RELEASE', unit, epoch });
          return { released: ok, offset: this.#offset };
        },
        leaving: () => {
          this.#append({ type: 'LEAVING' });
          return {};
        },
        view: () => this.#view(),
      },
    });
  }

  #system(): SystemRef {
    return {
      ...NO_SYSTEM,
      startChild: () =>
        new Promise((resolve) => {
          this.asked.start += 1;
          this.started = resolve;
        }),
      stopChild: () => {
        this.asked.stop += 1;
        this.exits(null);
        return Promise.resolve();
      },
    };
  }
}
