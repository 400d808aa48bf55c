import {
  isClusterEntry,
  type ClusterEntry,
  type ClusterResult,
  type RefusalReason,
} from './cluster-entries.js';
import {
  decodeSnapshot,
  departedKey,
  digest,
  encodeSnapshot,
  initialState,
  runningDigest,
  type ClusterState,
  type LiveMember,
} from './cluster-state.js';
import { blame, forgive, isQuarantined } from './quarantine.js';
import { parseUnitKey, type Claim, type NodeRef, type UnitKey, type UnitStatus } from '../model.js';
import type { EntryMeta, Machine } from '../replica/machine.js';

export type { ClusterEntry, ClusterResult, RefusalReason } from './cluster-entries.js';
export type { ClusterState, LiveMember } from './cluster-state.js';

/** Far more than can still have entries under way. */
const MAX_DEPARTED = 1000;
/** Statuses of units without an owner. The same on every node, or they diverge. */
const MAX_LEFT_STATUSES = 1000;
/** Nodes that were drained and never came back. The same on every node, or they diverge. */
const MAX_DRAINED = 1000;

const DONE: ClusterResult = { ok: true, epoch: null };

export const clusterMachine: Machine<ClusterState, ClusterEntry, ClusterResult> = {
  name: 'cluster',
  initial: initialState,
  apply: (state, entry, meta) => ({ state, result: apply(state, entry, meta) }),
  decode: (value) => (isClusterEntry(value) ? value : null),
  encodeSnapshot,
  decodeSnapshot,
  digest,
  runningDigest,
};

export function sameNode(a: NodeRef, b: NodeRef): boolean {
  return a.id === b.id && a.incarnation === b.incarnation;
}

export function isLive(members: ReadonlyMap<string, NodeRef>, node: NodeRef): boolean {
  return members.get(node.id)?.incarnation === node.incarnation;
}

function apply(state: ClusterState, entry: ClusterEntry, meta: EntryMeta): ClusterResult {
  const writer: NodeRef = { id: meta.writer.node, incarnation: meta.writer.incarnation };
  if (entry.type === 'ONLINE') return online(state, entry, writer, meta);
  if (!isLive(state.members, writer)) {
    if (isDeparted(state, writer)) return refused('DEPARTED', `${name(writer)} is not a member any more`);
    return refused('NOT_MEMBER', `${name(writer)} has not joined`);
  }
  switch (entry.type) {
    case 'READY':
      return ready(state, writer);
    case 'ALIVE':
      return alive(state, writer, meta);
    case 'LEAVING':
      return leaving(state, writer);
    case 'OFFLINE':
      depart(state, writer);
      return DONE;
    case 'EVICT':
      return evict(state, entry, meta);
    case 'CLAIM':
      return claim(state, entry, writer, meta);
    case 'RELEASE':
      return release(state, entry.unit, entry.epoch, writer);
    case 'STATUS':
      return status(state, entry.status, writer);
    case 'ACQUIT':
      return acquit(state, entry.unit, entry.epoch, writer);
    case 'QUARANTINE':
      return quarantine(state, entry, writer);
    case 'DRAIN':
      return drain(state, entry.node, entry.drained);
  }
}

function online(
  state: ClusterState,
  { member, replaces }: Extract<ClusterEntry, { type: 'ONLINE' }>,
  writer: NodeRef,
  meta: EntryMeta,
): ClusterResult {
  if (!sameNode(member, writer)) return refused('NOT_MEMBER', 'a node can only bring itself online');
  if (isDeparted(state, writer)) {
    return refused(
      'DEPARTED',
      `${name(writer)} is not a member any more: it must join with a new incarnation`,
    );
  }
  const earlier = state.members.get(writer.id);
  if (earlier !== undefined && !sameNode(earlier, writer)) {
    if (replaces !== undefined && replaces !== earlier.incarnation) {
      const message = `${name(earlier)} joined in the meantime: ${name(writer)} must join with a new incarnation`;
      return refused('SUPERSEDED', message);
    }
    if (member.process === undefined || member.process !== earlier.process) died(state, earlier, meta);
    depart(state, earlier);
  }
  // It was cut off or suspended, and taken for dead.
  if (member.process !== undefined) forgive(state.suspects, member.process);
  state.members.set(writer.id, { ...member, heartbeatOffset: meta.offset });
  return DONE;
}

function alive(state: ClusterState, writer: NodeRef, { offset, timestamp }: EntryMeta): ClusterResult {
  const member = state.members.get(writer.id);
  if (member !== undefined) {
    state.members.refresh(writer.id, { ...member, heartbeatAt: timestamp, heartbeatOffset: offset });
  }
  return DONE;
}

function ready(state: ClusterState, writer: NodeRef): ClusterResult {
  const member = state.members.get(writer.id);
  if (member?.joining === true) state.members.set(writer.id, { ...member, joining: false });
  return DONE;
}

function leaving(state: ClusterState, writer: NodeRef): ClusterResult {
  const member = state.members.get(writer.id);
  if (member !== undefined) state.members.set(writer.id, { ...member, leaving: true });
  return DONE;
}

function evict(
  state: ClusterState,
  { node, heard }: Extract<ClusterEntry, { type: 'EVICT' }>,
  meta: EntryMeta,
): ClusterResult {
  const member = state.members.get(node.id);
  if (member === undefined || !sameNode(member, node)) {
    return refused('UNKNOWN_NODE', `${name(node)} is not a member`);
  }
  if (heard !== undefined && heard < member.heartbeatOffset) {
    return refused('HEARD_SINCE', `${name(node)} was heard at offset ${member.heartbeatOffset}`);
  }
  died(state, member, meta);
  depart(state, member);
  return DONE;
}

/** One that was about to stop was ended while it did, and by whom is clear. */
function died(state: ClusterState, member: LiveMember, { timestamp: at }: EntryMeta): void {
  if (member.leaving === true) return;
  const claims = [...state.claims.values()].filter(
    (claim) => sameNode(claim.node, member) && mayHaveRun(state, claim),
  );
  blame(state.suspects, claims, { at, process: member.process ?? member.incarnation });
}

/** Plugin code: any task; a connector while nothing was said of its plan. */
function mayHaveRun({ statuses }: ClusterState, { unit, epoch, idle }: Claim): boolean {
  if (parseUnitKey(unit).task !== null) return true;
  return idle !== true && statuses.get(unit)?.epoch !== epoch;
}

function acquit(state: ClusterState, unit: UnitKey, epoch: number, writer: NodeRef): ClusterResult {
  const present = state.claims.get(unit);
  if (present === undefined || !sameNode(present.node, writer) || present.epoch !== epoch) {
    return refused('NOT_OWNER', `${name(writer)} does not have ${unit} at epoch ${epoch}`);
  }
  state.suspects.delete(unit);
  return DONE;
}

function quarantine(
  state: ClusterState,
  { unit, generation, deaths }: Extract<ClusterEntry, { type: 'QUARANTINE' }>,
  writer: NodeRef,
): ClusterResult {
  const owner = state.claims.get(unit);
  if (owner !== undefined) return refused('OWNED', `${unit} belongs to ${name(owner.node)}`);
  const suspect = state.suspects.get(unit);
  if (suspect === undefined || suspect.generation < generation)
    return refused('NOT_OWNER', `${unit} is not suspected any more`);
  const last = suspect.deaths.at(-1)?.process ?? '';
  state.suspects.set(unit, { ...suspect, quarantined: true });
  for (const { process } of suspect.deaths) forgive(state.suspects, process);
  const planned = parseUnitKey(unit).task === null;
  const did = planned ? 'was being planned' : 'was running';
  const does = planned ? 'plans' : 'starts';
  const trace = `QUARANTINED: ${unit} ${did} at ${deaths} deaths of nodes, at the last one alone among those that may be to blame (process ${last}). No node ${does} it any more: restart it, or change its connector's config, once the cause is mended (quarantine.deaths)`;
  state.statuses.set(unit, {
    unit,
    node: writer,
    epoch: state.lastEpoch,
    state: 'FAILED',
    trace,
    stalled: null,
  });
  return DONE;
}

/** Every grant is a new epoch, also for the owner: it asks for one before it starts the unit once more. */
function claim(
  state: ClusterState,
  { unit, generation, plan, idle }: Extract<ClusterEntry, { type: 'CLAIM' }>,
  writer: NodeRef,
  { offset, timestamp: at }: EntryMeta,
): ClusterResult {
  const suspect = state.suspects.get(unit);
  if (isQuarantined(suspect, generation)) return refused('QUARANTINED', `${unit} is quarantined`);
  const present = state.claims.get(unit);
  if (present !== undefined && !sameNode(present.node, writer)) {
    return refused('OWNED', `${unit} belongs to ${name(present.node)}`);
  }
  // The configs are in another topic, and nodes read it at their own pace. Once a task of a newer plan may have been
  // started, what this one would read may be another's. Who has it already has held the newer plan up.
  if (present === undefined && plan !== undefined && plan < state.claims.newestPlan(unit)) {
    return refused('STALE_PLAN', `${unit} was claimed for plan ${plan}, and others for a newer one`);
  }
  // Epochs must not begin anew where older entries of the topic are lost: no claim has an epoch above its offset.
  if (state.lastEpoch === 0) state.lastEpoch = offset;
  state.lastEpoch += 1;
  const { lastEpoch: epoch } = state;
  const of = { ...(plan === undefined ? {} : { plan }), ...(idle === undefined ? {} : { idle }) };
  state.claims.set(unit, { unit, node: writer, epoch, generation, ...of, at });
  if (suspect !== undefined && suspect.generation < generation) state.suspects.delete(unit);
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

function drain(state: ClusterState, id: string, drained: boolean): ClusterResult {
  if (!state.members.has(id) && !state.drained.has(id)) {
    return refused('UNKNOWN_NODE', `there is no node ${id}`);
  }
  state.drained.delete(id);
  if (!drained) return DONE;
  state.drained.set(id, id);
  if (state.drained.size <= MAX_DRAINED) return DONE;
  for (const oldest of state.drained.keys()) {
    if (state.members.has(oldest)) continue;
    state.drained.delete(oldest);
    break;
  }
  return DONE;
}

function depart(state: ClusterState, node: NodeRef): void {
  state.members.delete(node.id);
  const { id, incarnation } = node;
  state.departed.set(departedKey(node), { id, incarnation });
  const [oldest] = state.departed.keys();
  if (state.departed.size > MAX_DEPARTED && oldest !== undefined) state.departed.delete(oldest);
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
  return state.departed.has(departedKey(node));
}

function refused(reason: RefusalReason, message: string): ClusterResult {
  return { ok: false, reason, message };
}

function name(node: NodeRef): string {
  return `${node.id} (${node.incarnation})`;
}
