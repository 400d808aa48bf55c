import type { ClusterEntry, ClusterResult, ClusterState } from '#troupe/core/cluster/cluster-machine.js';
import type { ConfigEntry, ConfigResult, ConfigState } from '#troupe/core/connectors/config-machine.js';
import type { UnitKey } from '#troupe/core/model.js';
import type { Coverage, Situation } from './coverage.js';
import type { Fail } from './invariants.js';
import type { Check } from './reference.js';

/** Changes who may run what. */
const CHANGES: ReadonlySet<ClusterEntry['type']> = new Set([
  'ONLINE',
  'READY',
  'OFFLINE',
  'EVICT',
  'ACQUIT',
  'QUARANTINE',
]);

/** One owner at a time, and every owner has a newer epoch than all before it. */
export function checkClaims(
  coverage: Coverage,
  disturbed: () => void,
  fail: Fail,
): Check<ClusterState, ClusterEntry, ClusterResult> {
  /** How each unit's last owner lost it. */
  const ended = new Map<UnitKey, { readonly node: string; readonly how: Situation }>();
  const end = (state: ClusterState, node: string, how: Situation): void => {
    for (const { unit, node: owner } of state.claims.values())
      if (owner.id === node) ended.set(unit, { node, how });
  };
  return (before, entry, by) => {
    const { lastEpoch } = before;
    if (entry.type === 'EVICT') end(before, entry.node.id, 'unit taken over');
    if (entry.type === 'OFFLINE') end(before, by.id, 'unit taken over');
    const claim = entry.type === 'CLAIM' ? before.claims.get(entry.unit) : undefined;
    return (_after, result) => {
      if (!result.ok) {
        if (result.reason === 'HEARD_SINCE') coverage.saw('eviction void, as its node was heard since');
        if (result.reason === 'OWNED') coverage.saw('claim refused, as another was first');
        return;
      }
      if (CHANGES.has(entry.type)) disturbed();
      if (entry.type === 'QUARANTINE') coverage.saw('task quarantined');
      if (entry.type === 'ACQUIT') coverage.saw('task cleared of suspicion');
      if (entry.type === 'EVICT') coverage.saw('node evicted');
      if (entry.type === 'RELEASE') ended.set(entry.unit, { node: by.id, how: 'unit moved in order' });
      if (entry.type !== 'CLAIM') return;
      const last = ended.get(entry.unit);
      if (last !== undefined && last.node !== by.id) coverage.saw(last.how);
      ended.delete(entry.unit);
      if (claim !== undefined && claim.node.incarnation !== by.incarnation) {
        fail(`invariant 1: ${entry.unit} of ${claim.node.incarnation} was given to ${by.incarnation}`);
      }
      if (claim?.epoch !== result.epoch && (result.epoch ?? 0) <= lastEpoch) {
        fail(`invariant 2: epoch ${result.epoch ?? 0} of ${entry.unit} is not new`);
      }
    };
  };
}

/** Invariant 6: what was deleted stays deleted until a user, not a file of some node, creates it again. */
export function checkDeletions(
  coverage: Coverage,
  disturbed: () => void,
  fail: Fail,
): Check<ConfigState, ConfigEntry, ConfigResult> {
  /** What users created and did not delete, and what they deleted. */
  const present = new Set<string>();
  const deleted = new Set<string>();
  return (before, entry) => {
    const { asked = 0, planned = 0 } = before.connectors.get(entry.name)?.replans ?? {};
    return (after, result) => {
      const { name } = entry;
      const isPlan = entry.type === 'TASKS' || entry.type === 'SETTINGS';
      if (isPlan && result.ok && asked > planned && (entry.asked ?? 0) > planned)
        coverage.saw('connector planned again as it was asked');
      if (!isPlan && entry.type !== 'ANSWER') disturbed();
      if (entry.type === 'ANSWER' && result.ok && entry.answer.ok) coverage.saw('signal answered');
      if (entry.type === 'CONNECTOR') {
        if (entry.unlessDeleted !== true && result.ok) deleted.delete(name);
        if (!deleted.has(name) && result.ok) present.add(name);
      } else if (entry.type === 'DELETE' && result.ok) {
        present.delete(name);
        deleted.add(name);
        coverage.saw('connector deleted');
      }
      if (!result.ok && result.code === 'CONNECTOR_DELETED') coverage.saw('stale node told what was deleted');
      if (!result.ok && result.code === 'VERSION_CONFLICT') coverage.saw('write of a user lost a race');
      if (after.connectors.has(name) === present.has(name)) return;
      fail(
        `invariant ${deleted.has(name) ? 6 : 7}: connector ${name} ${present.has(name) ? 'is gone' : 'is back'}`,
      );
    };
  };
}
