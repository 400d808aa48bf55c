import type { Claim, Member, NodeRef, UnitKey, UnitState, UnitStatus } from './model.js';
import { byType, count, nullable, number, object, oneOf, optional, text } from './json-shape.js';

/** What nodes say in the cluster topic. The speaker is the entry's writer: one incarnation of one node. */
export type ClusterEntry =
  /** The writer joins, and takes the place of earlier incarnations of its id. */
  | { readonly type: 'ONLINE'; readonly member: Member }
  /** Heartbeat. `digest` is of the sender's state at the time, to find nodes that diverged. */
  | { readonly type: 'ALIVE'; readonly digest?: string }
  | { readonly type: 'OFFLINE' }
  /**
   * The writer did not hear this incarnation for the eviction time. `heard`: log offset of the last heartbeat that it
   * did hear; when there is a newer one in the log the eviction is void, as the node may hold a lease on it.
   */
  | { readonly type: 'EVICT'; readonly node: NodeRef; readonly heard?: number }
  | { readonly type: 'CLAIM'; readonly unit: UnitKey; readonly generation: number }
  | { readonly type: 'RELEASE'; readonly unit: UnitKey; readonly epoch: number }
  | { readonly type: 'STATUS'; readonly status: UnitStatus };

export type RefusalReason =
  /** The writer is not a member: it was evicted or superseded, went offline, or never joined. */
  | 'NOT_MEMBER'
  /** This incarnation was a member once: join with a new one. */
  | 'DEPARTED'
  /** Another node has the unit. */
  | 'OWNED'
  /** The writer does not have the unit, or has it at another epoch. */
  | 'NOT_OWNER'
  /** The incarnation to evict is not a member (any more). */
  | 'UNKNOWN_NODE'
  /** It was heard since. */
  | 'HEARD_SINCE';

/** `epoch`: of the claim granted, else null. */
export type ClusterResult =
  | { readonly ok: true; readonly epoch: number | null }
  | { readonly ok: false; readonly reason: RefusalReason; readonly message: string };

export const isNodeRef = object<NodeRef>({ id: text, incarnation: text });

export const MEMBER_FIELDS = {
  id: text,
  incarnation: text,
  restUrl: text,
  joinedAt: number,
  heartbeatAt: number,
};

export const isClaim = object<Claim>({ unit: text, node: isNodeRef, epoch: count, generation: count });

const STATES: readonly UnitState[] = ['UNASSIGNED', 'RUNNING', 'PAUSED', 'STOPPED', 'FAILED', 'RESTARTING'];

export const isStatus = object<UnitStatus>({
  unit: text,
  node: isNodeRef,
  epoch: count,
  state: oneOf(...STATES),
  trace: nullable(text),
  stalled: nullable(object<{ since: number; call: string }>({ since: number, call: text })),
});

export const isClusterEntry = byType<ClusterEntry>({
  ONLINE: object({ member: object<Member>(MEMBER_FIELDS) }),
  ALIVE: object<{ digest?: string }>({ digest: optional(text) }),
  OFFLINE: object({}),
  EVICT: object<{ node: NodeRef; heard?: number }>({ node: isNodeRef, heard: optional(count) }),
  CLAIM: object({ unit: text, generation: count }),
  RELEASE: object({ unit: text, epoch: count }),
  STATUS: object({ status: isStatus }),
});
