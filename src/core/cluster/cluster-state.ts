/** What the cluster machine holds, as a snapshot and as digests. */
import { digestOf } from '../replica/canonical-json.js';
import { isClaim, isNodeRef, isStatus, MEMBER_FIELDS } from './cluster-entries.js';
import { Claims } from './claims.js';
import { DigestedMap } from '../replica/digested-map.js';
import { isSuspect, type Suspect } from './quarantine.js';
import { count, object, text } from '../replica/json-shape.js';
import type { Claim, Member, NodeRef, UnitKey, UnitStatus } from '../model.js';

export interface LiveMember extends Member {
  /** Log offset of its newest heartbeat (or of its ONLINE). */
  readonly heartbeatOffset: number;
}

/** To read; only the machine changes it. */
export interface ClusterState {
  /** By node id: the one incarnation that is a member. */
  readonly members: DigestedMap<string, LiveMember>;
  readonly claims: Claims;
  /**
   * The owner's last word on each unit, at the epoch of its claim. When the claim ends only FAILED stays, so that
   * people still see why nobody runs the unit; a new claim removes it.
   */
  readonly statuses: DigestedMap<UnitKey, UnitStatus>;
  /** Epoch of the newest grant of any unit. */
  lastEpoch: number;
  /** Incarnations that were members, the newest last: they cannot come back. */
  readonly departed: DigestedMap<string, NodeRef>;
  /** Ids of nodes that get no units, whether they are members or not, those drained last behind. */
  readonly drained: DigestedMap<string, string>;
  readonly suspects: DigestedMap<UnitKey, Suspect>;
}

export function initialState(): ClusterState {
  return {
    members: new DigestedMap((member) => digested({ member })),
    claims: new Claims(),
    statuses: new DigestedMap((said) => ({ status: said })),
    lastEpoch: 0,
    departed: new DigestedMap((departed) => ({ departed })),
    drained: new DigestedMap((drained) => ({ drained })),
    suspects: new DigestedMap((suspect) => ({ suspect })),
  };
}

/** Of `departed`. */
export function departedKey({ id, incarnation }: NodeRef): string {
  return `${id.length} ${id}${incarnation}`;
}

interface Counters {
  readonly lastEpoch: number;
}

type Item =
  | { readonly counters: Counters }
  | { readonly member: LiveMember }
  | { readonly claim: Claim }
  | { readonly status: UnitStatus }
  | { readonly departed: NodeRef }
  | { readonly drained: string }
  | { readonly suspect: Suspect };

const isCountersItem = object<{ counters: Counters }>({ counters: object<Counters>({ lastEpoch: count }) });
const isMemberItem = object<{ member: LiveMember }>({
  member: object<LiveMember>({ ...MEMBER_FIELDS, heartbeatOffset: count }),
});
const isClaimItem = object<{ claim: Claim }>({ claim: isClaim });
const isStatusItem = object<{ status: UnitStatus }>({ status: isStatus });
const isDepartedItem = object<{ departed: NodeRef }>({ departed: isNodeRef });
const isDrainedItem = object<{ drained: string }>({ drained: text });
const isSuspectItem = object<{ suspect: Suspect }>({ suspect: isSuspect });

export function* encodeSnapshot(state: ClusterState): Generator<Item> {
  yield { counters: { lastEpoch: state.lastEpoch } };
  for (const member of state.members.values()) yield { member };
  for (const item of state.claims.values()) yield { claim: item };
  for (const item of state.statuses.values()) yield { status: item };
  for (const departed of state.departed.values()) yield { departed };
  for (const drained of state.drained.values()) yield { drained };
  for (const suspect of state.suspects.values()) yield { suspect };
}

export function decodeSnapshot(items: readonly unknown[]): ClusterState | null {
  const state = initialState();
  for (const item of items) {
    if (isCountersItem(item)) state.lastEpoch = item.counters.lastEpoch;
    else if (isMemberItem(item)) state.members.set(item.member.id, item.member);
    else if (isClaimItem(item)) state.claims.set(item.claim.unit, item.claim);
    else if (isStatusItem(item)) state.statuses.set(item.status.unit, item.status);
    else if (isDepartedItem(item)) state.departed.set(departedKey(item.departed), item.departed);
    else if (isDrainedItem(item)) state.drained.set(item.drained, item.drained);
    else if (isSuspectItem(item)) state.suspects.set(item.suspect.unit, item.suspect);
    else return null;
  }
  return state;
}

export function digest(state: ClusterState): string {
  return digestOf(digestedItems(state));
}

/** Without heartbeats, which do not change what anybody does: nodes a few heartbeats apart have equal digests. */
function* digestedItems(state: ClusterState): Generator {
  for (const item of encodeSnapshot(state)) yield 'member' in item ? digested(item) : item;
}

function digested({ member }: { readonly member: LiveMember }): { readonly member: LiveMember } {
  return { member: { ...member, heartbeatAt: 0, heartbeatOffset: 0 } };
}

export function runningDigest({
  members,
  claims,
  statuses,
  departed,
  drained,
  suspects,
  lastEpoch,
}: ClusterState): string {
  const sum = members.sum + claims.sum + statuses.sum + departed.sum + drained.sum + suspects.sum;
  return `${lastEpoch.toString(16)}-${BigInt.asUintN(64, sum).toString(16)}`;
}
