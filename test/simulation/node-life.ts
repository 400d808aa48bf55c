import {
  clusterMachine,
  isLive,
  type ClusterEntry,
  type ClusterResult,
  type ClusterState,
} from '#troupe/core/cluster-machine.js';
import {
  configMachine,
  type ConfigEntry,
  type ConfigResult,
  type ConfigState,
} from '#troupe/core/config-machine.js';
import { FailureDetector } from '#troupe/core/failure-detector.js';
import { HeartbeatLease } from '#troupe/core/heartbeat-lease.js';
import type { NodeRef, UnitKey } from '#troupe/core/model.js';
import { decide, type Action, type RunningUnit } from '#troupe/core/rebalance.js';
import { SimulatedReplica } from './simulated-replica.js';
import type { Clock, Condition, Network, Random, SimulatedLog } from './world.js';

export const HEARTBEAT_MS = 1000;
const LEASE_MS = 3000;
const EVICTION_MS = 5000;
const RETRY_MS = 200;

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly clusterLog: SimulatedLog;
  readonly configLog: SimulatedLog;
}

/**
 * One incarnation of a node, put together as the actors do it: heartbeats, a lease, a failure detector, and decide()
 * whenever something changed. What it does takes time; its death loses what it was doing.
 */
export class NodeLife implements Condition {
  dead = false;
  pausedUntil = 0;
  cutOffUntil = 0;
  readonly self: NodeRef;
  readonly cluster: SimulatedReplica<ClusterState, ClusterEntry, ClusterResult>;
  readonly config: SimulatedReplica<ConfigState, ConfigEntry, ConfigResult>;
  readonly running = new Map<UnitKey, RunningUnit>();
  readonly #around: Surroundings;
  /** Its clock runs this much faster than the world's. */
  readonly #drift: number;
  readonly #onEvicted: (life: NodeLife) => void;
  readonly #busy = new Set<UnitKey>();
  readonly #detector: FailureDetector;
  readonly #lease = new HeartbeatLease(LEASE_MS);
  #joined = false;
  #readScheduled = false;
  #news = false;

  constructor(around: Surroundings, self: NodeRef, drift: number, onEvicted: (life: NodeLife) => void) {
    this.self = self;
    this.#around = around;
    this.#drift = drift;
    this.#onEvicted = onEvicted;
    const writer = { node: self.id, incarnation: self.incarnation };
    this.cluster = new SimulatedReplica(clusterMachine, around.clusterLog, around.network, writer, this);
    this.config = new SimulatedReplica(configMachine, around.configLog, around.network, writer, this);
    this.#detector = new FailureDetector({ self, heartbeatMs: HEARTBEAT_MS, evictionMs: EVICTION_MS });
  }

  start(): void {
    this.#read();
    this.#join();
    this.#tick();
  }

  /** Whether plugin code of this unit may run at this instant. */
  runs(unit: UnitKey): boolean {
    const awake = !this.dead && this.pausedUntil <= this.#around.clock.now;
    return awake && this.running.has(unit) && this.#lease.isValid(this.#now());
  }

  get member(): boolean {
    return this.#joined && isLive(this.cluster.state.members, this.self);
  }

  /** Something is new in the log: it will be read a little later. */
  readSoon(): void {
    if (this.#readScheduled || this.dead) return;
    this.#readScheduled = true;
    const { clock, network } = this.#around;
    this.#later(Math.max(0, this.cutOffUntil - clock.now) + network.latency(), () => {
      this.#readScheduled = false;
      if (this.cutOffUntil > clock.now) this.readSoon();
      else this.#read();
    });
  }

  #now(): number {
    return this.#around.clock.now * this.#drift;
  }

  /** After a while, when the process is not paused; never when it is dead by then. */
  #later(ms: number, action: () => void): void {
    const { clock } = this.#around;
    const act = (): void => {
      if (this.dead) return;
      if (this.pausedUntil > clock.now) clock.after(this.pausedUntil - clock.now, act);
      else action();
    };
    clock.after(ms, act);
  }

  #join(): void {
    const { id, incarnation } = this.self;
    const member = { id, incarnation, restUrl: '', joinedAt: 0, heartbeatAt: 0 };
    const sentAt = this.#now();
    this.cluster.submit({ type: 'ONLINE', member }, (result) => {
      if (result === null) this.#later(RETRY_MS, () => this.#join());
      else if (result.ok) {
        this.#joined = true;
        this.#lease.readBack(sentAt);
      }
    });
  }

  #tick(): void {
    this.#later(HEARTBEAT_MS / this.#drift, () => this.#tick());
    if (!this.member) return;
    const sentAt = this.#now();
    this.cluster.submit({ type: 'ALIVE' }, (result) => {
      if (result?.ok === true) this.#lease.readBack(sentAt);
    });
    const { members } = this.cluster.state;
    for (const node of this.#detector.suspects(members.values(), this.#now())) {
      this.cluster.submit({ type: 'EVICT', node, heard: members.get(node.id)?.heartbeatOffset ?? 0 });
    }
  }

  #read(): void {
    this.config.read(() => (this.#news = true));
    this.cluster.read((entry, { writer }) => {
      const node = { id: writer.node, incarnation: writer.incarnation };
      if (isLive(this.cluster.state.members, node)) this.#detector.heard(node, this.#now());
      if (entry.type !== 'ALIVE') this.#news = true;
    });
    if (this.#joined && !this.member) {
      this.#lease.end();
      this.#onEvicted(this);
    } else if (this.#news) this.#decide();
  }

  #decide(): void {
    this.#news = false;
    if (!this.member) return;
    const { self, running } = this;
    const configs = this.config.state.connectors;
    for (const action of decide({ self, cluster: this.cluster.state, configs, running, busy: this.#busy })) {
      this.#do(action);
    }
  }

  #do(action: Action): void {
    const { unit } = action;
    const { random } = this.#around;
    this.#busy.add(unit);
    const done = (): void => {
      this.#busy.delete(unit);
      this.#decide();
    };
    // Read back in the middle of a read: what follows may change the decision.
    const said = (result: ClusterResult | null): void => {
      this.#later(result === null ? RETRY_MS : 0, done);
    };
    switch (action.type) {
      case 'claim':
        this.cluster.submit({ type: 'CLAIM', unit, generation: action.generation }, said);
        break;
      case 'release':
        this.cluster.submit({ type: 'RELEASE', unit, epoch: action.epoch }, said);
        break;
      case 'stop':
        this.#later(1 + random.next(300), () => {
          this.running.delete(unit);
          done();
        });
        break;
      case 'start':
      case 'plan':
        this.#later(1 + random.next(300), () => {
          if (action.type === 'plan' && !this.#plan(action.connector, said)) return done();
          this.running.set(unit, { epoch: action.epoch, generation: action.generation, state: 'RUNNING' });
          if (action.type === 'start') done();
        });
        break;
    }
  }

  /** False: there is nothing to plan any more. */
  #plan(connector: string, done: (result: ClusterResult | null) => void): boolean {
    const entry = this.config.state.connectors.get(connector);
    if (entry === undefined) return false;
    const configs = Array.from({ length: Number(entry.config['tasks.max'] ?? 1) }, () => ({}));
    const tasks: ConfigEntry = { type: 'TASKS', name: connector, connectorVersion: entry.version, configs };
    this.config.submit(tasks, (result) => {
      // Not in the log, as far as we know: it is planned again.
      if (result === null) this.running.delete(connector);
      done(result === null ? null : { ok: true, epoch: null });
    });
    return true;
  }
}
