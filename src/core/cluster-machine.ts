import { digestOf } from './canonical-json.js';
import {
  isClaim,
  isClusterEntry,
  MEMBER_FIELDS,
  isNodeRef,
  isStatus,
  type ClusterEntry,
  type ClusterResult,
  type RefusalReason,
} from './cluster-entries.js';
import { count, object } from './json-shape.js';
import type { Claim, Member, NodeRef, UnitKey, UnitStatus } from './model.js';
import type { EntryMeta, Machine } from './machine.js';

export type { ClusterEntry, ClusterResult, RefusalReason } from './cluster-entries.js';

export interface LiveMember extends Member {
  /** Log offset of its newest heartbeat (or of its ONLINE). */
  readonly heartbeatOffset: number;
}

/** To read; only the machine changes it. */
export interface ClusterState {
  /** By node id: the one incarnation that is a member. */
  readonly members: Map<string, LiveMember>;
  readonly claims: Map<UnitKey, Claim>;
  /**
   * The owner's last word on each unit, at the epoch of its claim. When the claim ends only FAILED stays, so that
   * people still see why nobody runs the unit; a new claim removes it.
   */
  readonly statuses: Map<UnitKey, UnitStatus>;
  /** Epoch of the newest grant of any unit. */
  lastEpoch: number;
  /** Incarnations that were members, the newest last: they cannot come back. */
  readonly departed: NodeRef[];
}

/** Far more than can still have entries under way. */
const MAX_DEPARTED = 1000;
/** Statuses of units without an owner. The same on every node, or they diverge. */
const MAX_LEFT_STATUSES = 1000;

const DONE: ClusterResult = { ok: true, epoch: null };

export const clusterMachine: Machine<ClusterState, ClusterEntry, ClusterResult> = {
  name: 'cluster',
  initial: () => ({ members: new Map(), claims: new Map(), statuses: new Map(), lastEpoch: 0, departed: [] }),
  apply: (state, entry, meta) => ({ state, result: apply(state, entry, meta) }),
  decode: (value) => (isClusterEntry(value) ? value : null),
  encodeSnapshot,
  decodeSnapshot,
  digest,
};

export function sameNode(a: NodeRef, b: NodeRef): boolean {
  return a.id === b.id && a.incarnation === b.incarnation;
}

export function isLive(members: ReadonlyMap<string, NodeRef>, node: NodeRef): boolean {
  return members.get(node.id)?.incarnation === node.incarnation;
}

function apply(state: ClusterState, entry: ClusterEntry, meta: EntryMeta): ClusterResult {
  const writer: NodeRef = { id: meta.writer.node, incarnation: meta.writer.incarnation };
  if (entry.type === 'ONLINE') return online(state, entry.member, writer, meta);
  if (!isLive(state.members, writer)) {
    if (isDeparted(state, writer)) return refused('DEPARTED', `${name(writer)} is not a member any more`);
    return refused('NOT_MEMBER', `${name(writer)} has not joined`);
  }
  switch (entry.type) {
    case 'ALIVE':
      return alive(state, writer, meta);
    case 'OFFLINE':
      depart(state, writer);
      return DONE;
    case 'EVICT':
      return evict(state, entry.node, entry.heard);
    case 'CLAIM':
      return claim(state, entry.unit, entry.generation, writer);
    case 'RELEASE':
      return release(state, entry.unit, entry.epoch, writer);
    case 'STATUS':
      return status(state, entry.status, writer);
  }
}

function online(state: ClusterState, member: Member, writer: NodeRef, meta: EntryMeta): ClusterResult {
  if (!sameNode(member, writer)) return refused('NOT_MEMBER', 'a node can only bring itself online');
  if (isDeparted(state, writer)) {
    return refused(
      'DEPARTED',
      `${name(writer)} is not a member any more: it must join with a new incarnation`,
    );
  }
  const earlier = state.members.get(writer.id);
  if (earlier !== undefined && !sameNode(earlier, writer)) depart(state, earlier);
  state.members.set(writer.id, { ...member, heartbeatOffset: meta.offset });
  return DONE;
}

function alive(state: ClusterState, writer: NodeRef, { offset, timestamp }: EntryMeta): ClusterResult {
  const member = state.members.get(writer.id);
  if (member !== undefined) {
    state.members.set(writer.id, { ...member, heartbeatAt: timestamp, heartbeatOffset: offset });
  }
  return DONE;
}

function evict(state: ClusterState, node: NodeRef, heard: number | undefined): ClusterResult {
  const member = state.members.get(node.id);
  if (member === undefined || !sameNode(member, node)) {
    return refused('UNKNOWN_NODE', `${name(node)} is not a member`);
  }
  if (heard !== undefined && heard < member.heartbeatOffset) {
    return refused('HEARD_SINCE', `${name(node)} was heard at offset ${member.heartbeatOffset}`);
  }
  depart(state, member);
  return DONE;
}

function claim(state: ClusterState, unit: UnitKey, generation: number, writer: NodeRef): ClusterResult {
  const present = state.claims.get(unit);
  if (present !== undefined) {
    if (!sameNode(present.node, writer)) return refused('OWNED', `${unit} belongs to ${name(present.node)}`);
    if (present.generation === generation) return { ok: true, epoch: present.epoch };
  }
  state.lastEpoch += 1;
  state.claims.set(unit, { unit, node: writer, epoch: state.lastEpoch, generation });
  state.statuses.delete(unit);
  return { ok: true, epoch: state.lastEpoch };
}

function release(state: ClusterState, unit: UnitKey, epoch: number, writer: NodeRef): ClusterResult {
  const present = state.claims.get(unit);
  if (present === undefined || !sameNode(present.node, writer) || present.epoch !== epoch) {
    return refused('NOT_OWNER', `${name(writer)} does not have ${unit} at epoch ${epoch}`);
  }
  endClaim(state, unit);
  return DONE;
}

function status(state: ClusterState, said: UnitStatus, writer: NodeRef): ClusterResult {
  const present = state.claims.get(said.unit);
  if (present === undefined || !sameNode(present.node, writer) || present.epoch !== said.epoch) {
    return refused('NOT_OWNER', `${name(writer)} does not have ${said.unit} at epoch ${said.epoch}`);
  }
  state.statuses.set(said.unit, { ...said, node: writer });
  return DONE;
}

function depart(state: ClusterState, node: NodeRef): void {
  state.members.delete(node.id);
  state.departed.push({ id: node.id, incarnation: node.incarnation });
  if (state.departed.length > MAX_DEPARTED) state.departed.shift();
  for (const { unit, node: owner } of [...state.claims.values()])
    if (sameNode(owner, node)) endClaim(state, unit);
}

function endClaim(state: ClusterState, unit: UnitKey): void {
  state.claims.delete(unit);
  const last = state.statuses.get(unit);
  if (last === undefined) return;
  state.statuses.delete(unit);
  if (last.state !== 'FAILED') return;
  // Set anew, so that those left longest come first.
  state.statuses.set(unit, last);
  if (state.statuses.size <= state.claims.size + MAX_LEFT_STATUSES) return;
  for (const left of state.statuses.keys()) {
    if (state.claims.has(left)) continue;
    state.statuses.delete(left);
    return;
  }
}

function isDeparted(state: ClusterState, node: NodeRef): boolean {
  return state.departed.some((gone) => sameNode(gone, node));
}

function refused(reason: RefusalReason, message: string): ClusterResult {
  return { ok: false, reason, message };
}

function name(node: NodeRef): string {
  return `${node.id} (${node.incarnation})`;
}

interface Counters {
  readonly lastEpoch: number;
}

type Item =
  | { readonly counters: Counters }
  | { readonly member: LiveMember }
  | { readonly claim: Claim }
  | { readonly status: UnitStatus }
  | { readonly departed: NodeRef };

const isCountersItem = object<{ counters: Counters }>({ counters: object<Counters>({ lastEpoch: count }) });
const isMemberItem = object<{ member: LiveMember }>({
  member: object<LiveMember>({ ...MEMBER_FIELDS, heartbeatOffset: count }),
});
const isClaimItem = object<{ claim: Claim }>({ claim: isClaim });
const isStatusItem = object<{ status: UnitStatus }>({ status: isStatus });
const isDepartedItem = object<{ departed: NodeRef }>({ departed: isNodeRef });

function* encodeSnapshot(state: ClusterState): Generator<Item> {
  yield { counters: { lastEpoch: state.lastEpoch } };
  for (const member of state.members.values()) yield { member };
  for (const item of state.claims.values()) yield { claim: item };
  for (const item of state.statuses.values()) yield { status: item };
  for (const departed of state.departed) yield { departed };
}

function decodeSnapshot(items: readonly unknown[]): ClusterState | null {
  const state = clusterMachine.initial();
  for (const item of items) {
    if (isCountersItem(item)) state.lastEpoch = item.counters.lastEpoch;
    else if (isMemberItem(item)) state.members.set(item.member.id, item.member);
    else if (isClaimItem(item)) state.claims.set(item.claim.unit, item.claim);
    else if (isStatusItem(item)) state.statuses.set(item.status.unit, item.status);
    else if (isDepartedItem(item)) state.departed.push(item.departed);
    else return null;
  }
  return state;
}

/** Without heartbeats, which do not change what anybody does: nodes a few heartbeats apart have equal digests. */
function digest(state: ClusterState): string {
  function* items(): Generator {
    for (const item of encodeSnapshot(state)) {
      if ('member' in item) yield { member: { ...item.member, heartbeatAt: 0, heartbeatOffset: 0 } };
      else yield item;
    }
  }
  return digestOf(items());
}
