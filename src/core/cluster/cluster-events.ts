import type { ClusterEntry, ClusterResult } from './cluster-entries.js';
import type { ClusterState } from './cluster-state.js';
import { parseUnitKey, type UnitKey } from '../model.js';
import type { EntryMeta } from '../replica/machine.js';
import type { EventName, RuntimeEvent } from '../event.js';

/** As `GET /connectors/{name}/status` has it. */
interface Seen {
  readonly state: string;
  readonly workerId: string;
}

const NOWHERE: Seen = { state: 'UNASSIGNED', workerId: '' };
/** Units that nobody has now, whose last node is known: beyond it the one longest without is forgotten. */
const MAX_LEFT = 10_000;
const MAX_TRACE = 2000;

type State = Pick<ClusterState, 'claims' | 'statuses' | 'members'>;

/** What became of connectors, tasks and nodes. */
export class ClusterEvents {
  readonly #seen = new Map<UnitKey, Seen>();
  /** The node that had a unit last. */
  readonly #left = new Map<UnitKey, string>();

  begin(state: State): void {
    this.#seen.clear();
    this.#left.clear();
    for (const unit of new Set([...state.claims.keys(), ...state.statuses.keys()]))
      this.#seen.set(unit, seenNow(unit, state));
  }

  /** What an entry has done, after it was applied. */
  of(entry: ClusterEntry, result: ClusterResult, meta: EntryMeta, state: State): readonly RuntimeEvent[] {
    if (!result.ok || entry.type === 'ALIVE') return [];
    const event = (name: EventName, connector: string | null, data: RuntimeEvent['data']): RuntimeEvent => ({
      offset: meta.offset,
      at: meta.timestamp,
      event: name,
      connector,
      data,
    });
    const ofNode = nodeEvent(entry, meta);
    return [
      ...(ofNode === null ? [] : [event('node', null, ofNode)]),
      ...this.#touched(entry, meta).flatMap((unit) =>
        this.#change(unit, state).map(({ name, data }) => {
          const { connector, task } = parseUnitKey(unit);
          return event(name, connector, { task, ...data });
        }),
      ),
    ];
  }

  /** Units that may be otherwise now. */
  #touched(entry: ClusterEntry, { writer }: EntryMeta): readonly UnitKey[] {
    switch (entry.type) {
      case 'CLAIM':
      case 'RELEASE':
      case 'QUARANTINE':
        return [entry.unit];
      case 'STATUS':
        return [entry.status.unit];
      case 'ONLINE':
      case 'OFFLINE':
        return this.#of(writer.node);
      case 'EVICT':
        return this.#of(entry.node.id);
      default:
        return [];
    }
  }

  #of(node: string): readonly UnitKey[] {
    return [...this.#seen].flatMap(([unit, { workerId }]) => (workerId === node ? [unit] : []));
  }

  #change(
    unit: UnitKey,
    state: State,
  ): readonly { readonly name: EventName; readonly data: RuntimeEvent['data'] }[] {
    const before = this.#seen.get(unit) ?? NOWHERE;
    const now = seenNow(unit, state);
    if (before.state === now.state && before.workerId === now.workerId) return [];
    const owner = state.claims.get(unit)?.node.id;
    const from = this.#left.get(unit);
    this.#remember(unit, before, now, owner);
    const { trace = null } = state.statuses.get(unit) ?? {};
    const changed = {
      state: now.state,
      worker_id: now.workerId,
      previous: { state: before.state, worker_id: before.workerId },
      ...(now.state === 'FAILED' && trace !== null && { trace: trace.slice(0, MAX_TRACE) }),
    };
    const moved = owner !== undefined && from !== undefined && from !== owner;
    return [
      ...(moved ? [{ name: 'moved' as const, data: { from, to: owner } }] : []),
      { name: 'state' as const, data: changed },
    ];
  }

  #remember(unit: UnitKey, before: Seen, now: Seen, owner: string | undefined): void {
    if (now.workerId === '' && now.state === 'UNASSIGNED') this.#seen.delete(unit);
    else this.#seen.set(unit, now);
    const last = this.#left.get(unit) ?? before.workerId;
    this.#left.delete(unit);
    if (owner !== undefined || last === '') return;
    this.#left.set(unit, last);
    const [oldest] = this.#left.keys();
    if (this.#left.size > MAX_LEFT && oldest !== undefined) this.#left.delete(oldest);
  }
}

function seenNow(unit: UnitKey, { claims, statuses }: State): Seen {
  const claim = claims.get(unit);
  const status = statuses.get(unit);
  // A failure that nobody has taken over since is still one.
  if (status !== undefined && (claim === undefined ? status.state === 'FAILED' : status.epoch >= claim.epoch))
    return { state: status.state, workerId: status.node.id };
  return claim === undefined ? NOWHERE : { state: 'UNASSIGNED', workerId: claim.node.id };
}

function nodeEvent(entry: ClusterEntry, { writer }: EntryMeta): RuntimeEvent['data'] | null {
  switch (entry.type) {
    case 'ONLINE':
      return { worker_id: writer.node, state: entry.member.joining === true ? 'JOINING' : 'ONLINE' };
    case 'READY':
      return { worker_id: writer.node, state: 'ONLINE' };
    case 'LEAVING':
      return { worker_id: writer.node, state: 'LEAVING' };
    case 'OFFLINE':
      return { worker_id: writer.node, state: 'OFFLINE' };
    case 'EVICT':
      return { worker_id: entry.node.id, state: 'OFFLINE', evicted_by: writer.node };
    case 'DRAIN':
      return { worker_id: entry.node, drained: entry.drained };
    default:
      return null;
  }
}
