import type { Claim, Member, NodeRef, UnitKey, UnitStatus } from '../../core/model.js';
import type { Protocol } from '../kernel/protocol.js';

/** The cluster as this node has read it. */
export interface ClusterView {
  readonly self: NodeRef;
  readonly members: readonly Member[];
  readonly claims: readonly Claim[];
  readonly statuses: readonly UnitStatus[];
  /** Equal on all nodes that have read as far. */
  readonly digest: string;
  readonly offset: number;
}

/** `offset`: how far this node had read when it answered. */
export type ClaimReply =
  | { readonly granted: true; readonly epoch: number; readonly offset: number }
  | { readonly granted: false; readonly reason: string };

export interface DiscoveryProtocol extends Protocol {
  tell: {
    /** Only the owner's word at its epoch counts. */
    status: Omit<UnitStatus, 'node'>;
  };
  ask: {
    view: { request: Record<string, never>; reply: ClusterView };
    claim: { request: { unit: UnitKey; generation: number }; reply: ClaimReply };
    release: { request: { unit: UnitKey; epoch: number }; reply: { released: boolean; offset: number } };
  };
}
