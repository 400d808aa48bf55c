import type { Claim, Member, NodeRef, UnitKey, UnitStatus } from '../../core/model.js';
import type { ClaimWord } from '../../core/cluster/cluster-entries.js';
import type { EventPage, EventsRequest } from '../../core/event.js';
import type { Suspect } from '../../core/cluster/quarantine.js';
import type { Protocol } from '../kernel/protocol.js';

export interface MemberView extends Member {
  /** Since this node last read a word of it, by this node's clock, when the view was made. */
  readonly silentMs: number;
}

/** The cluster as this node has read it. */
export interface ClusterView {
  readonly self: NodeRef;
  readonly members: readonly MemberView[];
  /** Ids of nodes that get no units; not all need be members. */
  readonly drained: readonly string[];
  readonly claims: readonly Claim[];
  readonly statuses: readonly UnitStatus[];
  /** Tasks that were there when nodes died; absent: none. */
  readonly suspects?: readonly Suspect[];
  /** Equal on all nodes that have read as far. */
  readonly digest: string;
  readonly offset: number;
  /** The lease has run out: no word of this node was read back since (ms since 1970), and its tasks are suspended. */
  readonly suspendedSince?: number;
  /** Why its last heartbeat could not be written, where it could not. */
  readonly suspendedBecause?: string;
}

/** `offset`: how far this node had read when it answered. */
export type ClaimReply =
  | { readonly granted: true; readonly epoch: number; readonly offset: number }
  | { readonly granted: false; readonly reason: string };

export interface DiscoveryProtocol extends Protocol {
  tell: {
    /** Only the owner's word at its epoch counts. */
    status: Omit<UnitStatus, 'node'>;
    /** This node has lived with the unit, at this epoch, for as long as it had to. */
    acquit: { unit: UnitKey; epoch: number };
  };
  ask: {
    view: { request: Record<string, never>; reply: ClusterView };
    /** Of connectors, tasks and nodes. */
    events: { request: EventsRequest; reply: EventPage };
    claim: { request: ClaimWord; reply: ClaimReply };
    /** Resolves when it is durable and applied here. NODE_NOT_FOUND. */
    drain: { request: { node: string; drained: boolean }; reply: Record<string, never> };
    /** This node is about to stop: it gets no more units. */
    leaving: { request: Record<string, never>; reply: Record<string, never> };
    /** Nobody is to run the unit any more for this generation. */
    quarantine: {
      request: { unit: UnitKey; generation: number; deaths: number };
      reply: { quarantined: boolean };
    };
    release: { request: { unit: UnitKey; epoch: number }; reply: { released: boolean; offset: number } };
  };
}
