import type {
  Claim,
  Member,
  NodeRef,
  NextStart,
  Passive,
  PastCause,
  RunningConfig,
  Stall,
  StatusNote,
  StatusProgress,
  UnitKey,
  UnitState,
  UnitStatus,
} from '../model.js';
import {
  byType,
  count,
  flag,
  listOf,
  nullable,
  number,
  object,
  oneOf,
  optional,
  text,
} from '../replica/json-shape.js';

export type ClaimWord = Pick<Claim, 'unit' | 'generation' | 'plan' | 'idle'>;

/** What nodes say in the cluster topic. The speaker is the entry's writer: one incarnation of one node. */
export type ClusterEntry =
  /**
   * The writer joins, and takes the place of earlier incarnations of its id. `replaces`: the one that it knew of when
   * it spoke. When there is another one by then, this word came late, and its writer may be long gone.
   */
  | { readonly type: 'ONLINE'; readonly member: Member; readonly replaces?: string | null }
  /** The writer, which came online as joining, can run units from now on. */
  | { readonly type: 'READY' }
  /** Heartbeat. `digest` is of the sender's state at the time, to find nodes that diverged. */
  | { readonly type: 'ALIVE'; readonly digest?: string }
  /** The writer is about to stop: it gets no more units, and releases each one as soon as it has stopped it. */
  | { readonly type: 'LEAVING' }
  | { readonly type: 'OFFLINE' }
  /**
   * The writer did not hear this incarnation for the eviction time. `heard`: log offset of the last heartbeat that it
   * did hear; when there is a newer one in the log the eviction is void, as the node may hold a lease on it.
   */
  | { readonly type: 'EVICT'; readonly node: NodeRef; readonly heard?: number }
  | ({ readonly type: 'CLAIM' } & ClaimWord)
  | { readonly type: 'RELEASE'; readonly unit: UnitKey; readonly epoch: number }
  | { readonly type: 'STATUS'; readonly status: UnitStatus }
  /** The writer has run the unit at this epoch for long enough: it did not bring nodes down. */
  | { readonly type: 'ACQUIT'; readonly unit: UnitKey; readonly epoch: number }
  /** Nobody is to run the unit for this generation: it was at so many deaths of nodes. */
  | {
      readonly type: 'QUARANTINE';
      readonly unit: UnitKey;
      readonly generation: number;
      readonly deaths: number;
    }
  /** The node of this id gets no units, in this and later incarnations, until the word is taken back. */
  | { readonly type: 'DRAIN'; readonly node: string; readonly drained: boolean };

export type RefusalReason =
  /** The writer is not a member: it was evicted or superseded, went offline, or never joined. */
  | 'NOT_MEMBER'
  /** This incarnation was a member once: join with a new one. */
  | 'DEPARTED'
  /** Another incarnation of this node joined in the meantime: join with a new one. */
  | 'SUPERSEDED'
  /** Another node has the unit. */
  | 'OWNED'
  /** Another task of the connector is claimed for a newer plan: the writer has not read it yet. */
  | 'STALE_PLAN'
  /** It was quarantined: only a newer generation may be claimed. */
  | 'QUARANTINED'
  /** The writer does not have the unit, or has it at another epoch. */
  | 'NOT_OWNER'
  /** The incarnation to evict, or the node to drain, is not a member (any more). */
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
  joining: optional(flag),
  leaving: optional(flag),
  process: optional(text),
};

export const isClaim = object<Claim>({
  unit: text,
  node: isNodeRef,
  epoch: count,
  generation: count,
  plan: optional(count),
  idle: optional(flag),
  at: optional(number),
});

const STATES: readonly UnitState[] = ['UNASSIGNED', 'RUNNING', 'PAUSED', 'STOPPED', 'FAILED', 'RESTARTING'];

export const isStatus = object<UnitStatus>({
  unit: text,
  node: isNodeRef,
  epoch: count,
  state: oneOf(...STATES),
  trace: nullable(text),
  stalled: nullable(object<Stall>({ since: number, call: text, cause: optional(text) })),
  skipped: optional(count),
  notes: optional(listOf(object<StatusNote>({ code: text, since: number, message: text }))),
  progress: optional(object<StatusProgress>({ text, percent: optional(number), since: number, at: number })),
  passive: optional(object<Passive>({ since: number, until: optional(number) })),
  restart: optional(object<NextStart>({ at: number, left: count })),
  causes: optional(listOf(object<PastCause>({ at: number, cause: text }))),
  config: optional(
    object<RunningConfig>({
      running: count,
      refused: optional(object<NonNullable<RunningConfig['refused']>>({ version: count, reason: text })),
    }),
  ),
});

export const isClusterEntry = byType<ClusterEntry>({
  ONLINE: object<{ member: Member; replaces?: string | null }>({
    member: object<Member>(MEMBER_FIELDS),
    replaces: optional(nullable(text)),
  }),
  READY: object({}),
  ALIVE: object<{ digest?: string }>({ digest: optional(text) }),
  LEAVING: object({}),
  OFFLINE: object({}),
  EVICT: object<{ node: NodeRef; heard?: number }>({ node: isNodeRef, heard: optional(count) }),
  CLAIM: object<ClaimWord>({ unit: text, generation: count, plan: optional(count), idle: optional(flag) }),
  RELEASE: object({ unit: text, epoch: count }),
  STATUS: object({ status: isStatus }),
  ACQUIT: object({ unit: text, epoch: count }),
  QUARANTINE: object({ unit: text, generation: count, deaths: count }),
  DRAIN: object({ node: text, drained: flag }),
});
