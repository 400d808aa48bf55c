import {
  isLive,
  type ClusterEntry,
  type ClusterResult,
  type ClusterState,
} from '../../core/cluster/cluster-machine.js';
import type { ClaimWord } from '../../core/cluster/cluster-entries.js';
import { FailureDetector } from '../../core/cluster/failure-detector.js';
import { HeartbeatLease } from '../../core/cluster/heartbeat-lease.js';
import type { NodeRef, UnitKey, UnitStatus } from '../../core/model.js';
import type { Replica } from '../../core/replica/replicated-state.js';
import { ConnectError } from '../../sdk/errors.js';
import { coalesce, paceMs } from '../coalesce.js';
import { leaseLeftMs, monotonicMs, renewLease } from '../kernel/lease.js';
import type { ActorContext } from '../kernel/protocol.js';
import type { DiscoveryParams, DiscoveryPeers } from './params.js';
import type { ClaimReply, ClusterView, DiscoveryProtocol } from './protocol.js';

const PUBLISH_AFTER_MS = 5;

/** This node among the others: joins, sends heartbeats, holds the lease, evicts the silent. */
export class Membership {
  readonly #context: ActorContext<DiscoveryPeers, DiscoveryParams>;
  readonly #self: NodeRef;
  readonly #replica: Replica<ClusterState, ClusterEntry, ClusterResult>;
  readonly #detector: FailureDetector;
  readonly #lease: HeartbeatLease;
  readonly #following = new AbortController();
  readonly #publish: () => void;
  /** The rebalancer has the newest view, or will be told when it comes up. */
  #published = true;
  #timer: NodeJS.Timeout | null = null;
  #beating = false;
  /** Why the last heartbeat could not be written. */
  #beatFailure: string | null = null;
  #joined = false;
  /** Milliseconds since 1970. */
  #joinedAt = 0;
  #leaving = false;
  /** What runs the units is there. Until then others keep them: who gives them away too early interrupts them. */
  #canRun = false;
  #sayingReady = false;

  constructor(
    context: ActorContext<DiscoveryPeers, DiscoveryParams>,
    self: NodeRef,
    replica: Replica<ClusterState, ClusterEntry, ClusterResult>,
  ) {
    const { heartbeatMs, evictionMs, leaseMs } = context.params;
    this.#context = context;
    this.#self = self;
    this.#replica = replica;
    this.#detector = new FailureDetector({ self, heartbeatMs, evictionMs });
    this.#lease = new HeartbeatLease(leaseMs);
    const publishAfterMs = (): number => {
      const { members, claims, statuses } = replica.state;
      return PUBLISH_AFTER_MS + paceMs(members.size + claims.size + statuses.size);
    };
    this.#publish = coalesce(publishAfterMs, () => {
      this.#published = context.peers.rebalancer.tell('clusterChanged', this.view());
    });
  }

  /** Follows the topic and comes online in it. */
  async join(): Promise<void> {
    const { peers, params } = this.#context;
    this.#replica.onApplied((entry, _result, { writer }) => {
      this.#detector.heard({ id: writer.node, incarnation: writer.incarnation }, monotonicMs());
      if (entry.type !== 'ALIVE') this.#publish();
      this.#checkSelf();
    });
    this.#replica.onReplaced(this.#publish);
    this.#replica.follow(this.#following.signal).catch((error: unknown) => {
      this.#context.crash(error);
    });
    const now = Date.now();
    this.#joinedAt = now;
    await this.#renewing({
      type: 'ONLINE',
      member: {
        ...this.#self,
        restUrl: params.restUrl,
        joinedAt: now,
        heartbeatAt: now,
        joining: true,
        process: params.process,
      },
      replaces: this.#replica.state.members.get(this.#self.id)?.incarnation ?? null,
    });
    this.#joined = true;
    peers.rebalancer.onChange((up) => {
      if (!up) return;
      this.#publish();
      this.#canRun = true;
      this.#sayReady();
    });
    this.#timer = setInterval(() => {
      void this.#beat();
    }, params.heartbeatMs);
  }

  async announceLeave(): Promise<Record<string, never>> {
    await this.#replica.submit({ type: 'LEAVING' });
    return {};
  }

  /** Says goodbye, so that others need not wait for the silence. The tasks have stopped already. */
  async leave(): Promise<void> {
    this.#leaving = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#lease.end();
    renewLease(this.#context.lease, 0);
    try {
      await this.#replica.submit({ type: 'OFFLINE' });
    } catch (error) {
      this.#context.log.warn({ err: error }, 'could not say goodbye; other nodes will notice the silence');
    }
    this.#following.abort();
  }

  view(): ClusterView {
    const { state } = this.#replica;
    const now = monotonicMs();
    const suspended = this.#joined && !this.#leaving && leaseLeftMs(this.#context.lease) <= 0;
    return {
      ...(suspended && {
        suspendedSince: Math.round(Date.now() - this.#detector.silenceMs(this.#self, now)),
        ...(this.#beatFailure !== null && { suspendedBecause: this.#beatFailure }),
      }),
      self: this.#self,
      members: [...state.members.values()].map((member) => ({
        ...member,
        silentMs: this.#detector.silenceMs(member, now),
      })),
      drained: [...state.drained.keys()],
      claims: [...state.claims.values()],
      statuses: [...state.statuses.values()],
      suspects: [...state.suspects.values()],
      digest: this.#replica.digest(),
      offset: this.#replica.appliedOffset,
    };
  }

  async claim(word: ClaimWord): Promise<ClaimReply> {
    const result = await this.#replica.submit({ type: 'CLAIM', ...word });
    if (!result.ok) return { granted: false, reason: result.reason };
    if (result.epoch === null) return { granted: false, reason: 'NOT_OWNER' };
    return { granted: true, epoch: result.epoch, offset: this.#replica.appliedOffset };
  }

  async quarantine(
    request: DiscoveryProtocol['ask']['quarantine']['request'],
  ): Promise<{ quarantined: boolean }> {
    const { ok } = await this.#replica.submit({ type: 'QUARANTINE', ...request });
    return { quarantined: ok };
  }

  /** Where it is lost it is said again. */
  acquit(unit: UnitKey, epoch: number): void {
    this.#replica.submit({ type: 'ACQUIT', unit, epoch }).catch((error: unknown) => {
      this.#context.log.warn({ err: error, unit }, 'that a task does no harm could not be written');
    });
  }

  async release(unit: UnitKey, epoch: number): Promise<{ released: boolean; offset: number }> {
    const result = await this.#replica.submit({ type: 'RELEASE', unit, epoch });
    return { released: result.ok, offset: this.#replica.appliedOffset };
  }

  async drain(node: string, drained: boolean): Promise<Record<string, never>> {
    const result = await this.#replica.submit({ type: 'DRAIN', node, drained });
    if (result.ok) return {};
    if (result.reason === 'UNKNOWN_NODE') {
      throw new ConnectError(`There is no node ${node.slice(0, 100)}.`, { code: 'NODE_NOT_FOUND' });
    }
    throw new ConnectError(result.message, { code: 'ACTOR_DOWN' });
  }

  report(status: Omit<UnitStatus, 'node'>): void {
    this.#replica
      .submit({ type: 'STATUS', status: { ...status, node: this.#self } })
      .catch((error: unknown) => {
        this.#context.log.warn(
          { err: error, unit: status.unit, state: status.state },
          'a status could not be written',
        );
      });
  }

  async #beat(): Promise<void> {
    this.#evictSilent();
    if (!this.#published) this.#publish();
    this.#sayReady();
    // Not before the last one was read back: a node that writes, and reads nothing, must fall silent and be evicted.
    if (this.#beating) return;
    this.#beating = true;
    try {
      await this.#renewing({ type: 'ALIVE', digest: this.#replica.digest() });
      this.#beatFailure = null;
    } catch (error) {
      this.#beatFailure = error instanceof Error ? error.message : String(error);
      this.#context.log.warn(
        { err: error },
        'a heartbeat could not be written; tasks are suspended when the lease ends',
      );
    } finally {
      this.#beating = false;
    }
  }

  /** The lease runs from when the heartbeat was sent, and begins when it was read back. */
  async #renewing(entry: ClusterEntry): Promise<void> {
    const sentAt = monotonicMs();
    const result = await this.#replica.submit(entry);
    if (!result.ok) {
      this.#context.crash(new Error(result.message));
      return;
    }
    // What was read together with it may say that this node was superseded, and that ends the lease.
    if (this.#leaving || !isLive(this.#replica.state.members, this.#self)) return;
    renewLease(this.#context.lease, this.#lease.readBack(sentAt));
  }

  #sayReady(): void {
    const member = this.#replica.state.members.get(this.#self.id);
    if (!this.#canRun || this.#sayingReady || this.#leaving || member?.joining !== true) return;
    this.#sayingReady = true;
    this.#replica
      .submit({ type: 'READY' })
      .catch((error: unknown) => {
        this.#context.log.warn({ err: error }, 'could not say that this node is ready; will try again');
      })
      .finally(() => {
        this.#sayingReady = false;
      });
  }

  #evictSilent(): void {
    const { state } = this.#replica;
    for (const node of this.#detector.suspects(state.members.values(), monotonicMs())) {
      const member = state.members.get(node.id);
      if (member === undefined) continue;
      this.#context.log.warn(
        { node: node.id },
        `evicting a node that was silent for ${this.#context.params.evictionMs} ms`,
      );
      this.#replica.submit({ type: 'EVICT', node, heard: member.heartbeatOffset }).catch((error: unknown) => {
        this.#context.log.warn({ err: error, node: node.id }, 'an eviction could not be written');
      });
    }
  }

  /** Evicted: everything that depends on membership starts again, as a new incarnation. */
  #checkSelf(): void {
    const { members } = this.#replica.state;
    if (this.#leaving || !this.#joined || isLive(members, this.#self)) return;
    this.#joined = false;
    renewLease(this.#context.lease, 0);
    const successor = members.get(this.#self.id);
    // One that began to join before this one is no successor: an earlier process of this node, which is dead, had sent its
    // word, and the log took it only now that this one was evicted.
    if (successor === undefined || successor.joinedAt < this.#joinedAt) {
      this.#context.crash(new Error('this node was evicted by others that did not hear it; it joins again'));
      return;
    }
    this.#context.system.shutdown(
      `another node joined with workerId ${this.#self.id} (${successor.restUrl}): every node needs its own`,
    );
  }
}
