import type { ClaimWord } from './cluster-entries.js';
import { sameNode } from './cluster-machine.js';
import {
  parseUnitKey,
  type Claim,
  type ConnectorEntry,
  type NodeRef,
  type UnitKey,
  type UnitState,
  type UnitStatus,
} from '../model.js';
import type { Moves } from './moves.js';
import { judge, type QuarantineRules, type Suspect } from './quarantine.js';
import { takesUnits, wantedUnits, wishOf, type ClusterFacts, type Wanted } from './wanted-units.js';

/** What this node has started: a task's thread, or (for a connector's unit) a plan that was made or failed. */
export interface RunningUnit {
  readonly epoch: number;
  readonly generation: number;
  /** FAILED stays here until it is stopped: a failed unit is not started again by itself. */
  readonly state: UnitState;
  /** Of a task: the newest version of its connector's config that it runs with, or has refused. */
  readonly version?: number;
}

export type Action =
  /** Append CLAIM. With a claim of our own it asks for a new epoch, for the new generation. */
  | ({ readonly type: 'claim' } & ClaimWord)
  /** Append RELEASE. Only of units that do not run here. */
  | { readonly type: 'release'; readonly unit: UnitKey; readonly epoch: number }
  | { readonly type: 'start'; readonly unit: UnitKey; readonly epoch: number; readonly generation: number }
  /** Plan the connector's tasks, append TASKS, then count its unit as running (or FAILED). */
  | {
      readonly type: 'plan';
      readonly unit: UnitKey;
      readonly connector: string;
      readonly epoch: number;
      readonly generation: number;
    }
  /**
   * Stop the unit (a plan: forget it), and take it out of `running` once it is gone. `moving`: a task that nothing is
   * wrong with, for another node to run it. It counts as a move until it runs there.
   */
  | { readonly type: 'stop'; readonly unit: UnitKey; readonly moving?: true }
  /** Append QUARANTINE. */
  | {
      readonly type: 'quarantine';
      readonly unit: UnitKey;
      readonly generation: number;
      readonly deaths: number;
    };

export interface RebalanceInput {
  readonly self: NodeRef;
  readonly cluster: {
    readonly members: ClusterFacts['members'];
    readonly claims: ReadonlyMap<UnitKey, Claim>;
    /** Ids of nodes that get nothing; absent: none. */
    readonly drained?: { has(id: string): boolean };
    /** Absent: nobody has said anything. */
    readonly statuses?: ReadonlyMap<UnitKey, UnitStatus>;
    /** Absent: none. */
    readonly suspects?: ReadonlyMap<UnitKey, Suspect>;
  };
  /** Absent: no task is held back. */
  readonly quarantine?: QuarantineRules;
  /**
   * Own claims that are known from their answers alone, and not the claims of others that came before them: such a
   * unit is not started yet. Absent: none.
   */
  readonly unread?: { has(unit: UnitKey): boolean };
  /** null: not known yet. */
  readonly configs: ReadonlyMap<string, ConnectorEntry> | null;
  readonly running: ReadonlyMap<UnitKey, RunningUnit>;
  /** Units with an action under way: nothing is decided about them until it is done. */
  readonly busy: ReadonlySet<UnitKey>;
  /** Those of them that are just being started: a start may take long, and one that nobody wants any more is stopped. Absent: none. */
  readonly starting?: ReadonlySet<UnitKey>;
  /** Those of this node that are under way; absent: any number may be. */
  readonly moves?: Pick<Moves, 'available'>;
}

const NOBODY: ReadonlySet<string> = new Set();
const NO_STATUSES: ReadonlyMap<UnitKey, UnitStatus> = new Map();
const NO_SUSPECTS: ReadonlyMap<UnitKey, Suspect> = new Map();
const NO_RULES: QuarantineRules = { deaths: 0, periodMs: 0 };

/**
 * What this node should do next, in no order that matters: at most one action a unit. To be asked again whenever an
 * input changed or an action is done; when there is nothing left to do it answers [].
 *
 * A view without members, or without configs, is no knowledge: then nothing is done, and above all nothing is stopped.
 */
export function decide(input: RebalanceInput): Action[] {
  const { cluster, configs, running, busy, self } = input;
  if (cluster.members.size === 0 || configs === null) return [];
  const wanted = wantedUnits(configs);
  const { members, claims, drained = NOBODY, statuses = NO_STATUSES, suspects = NO_SUSPECTS } = cluster;
  const wish = wishOf({ members, claims, drained, suspects }, configs);
  const verdicts = judge(suspects, wanted, input.quarantine ?? NO_RULES);
  // Of all others there is nothing to do here, and in a large cluster they are nearly all.
  const concerns = (unit: UnitKey): boolean =>
    wish.get(unit) === self.id || running.has(unit) || cluster.claims.get(unit)?.node.id === self.id;
  const units = new Set([...wanted.keys()].filter(concerns));
  for (const unit of running.keys()) units.add(unit);
  for (const claim of cluster.claims.values()) if (sameNode(claim.node, self)) units.add(claim.unit);
  let changing: ReadonlySet<string> | null = null;
  let ahead: ReadonlySet<string> | null = null;
  const actions: Action[] = [];
  const movesLeft = input.moves?.available({ claims, statuses }, wish) ?? Infinity;
  let moves = 0;
  const takes = takesUnits({ members, drained }, self.id);
  for (const unit of units) {
    const starts = input.starting?.has(unit) === true;
    if (busy.has(unit) && !starts) continue;
    const here = wish.get(unit) === self.id && cluster.members.get(self.id)?.incarnation === self.incarnation;
    const claim = cluster.claims.get(unit);
    const own = claim !== undefined && sameNode(claim.node, self) ? claim : undefined;
    const runs = running.get(unit);
    const want = wanted.get(unit);
    const action =
      runs !== undefined && !starts && isDownWithOlder(runs, want)
        ? { type: 'stop' as const, unit }
        : runs !== undefined
          ? stopIfOver(unit, runs, own, want, here || (want?.outdated === true && takes))
          : next(unit, claim, own, here ? want : undefined);
    if (action === null) continue;
    // It moves when it runs.
    if (starts && (action.type !== 'stop' || action.moving === true)) continue;
    if (action.type === 'claim' && own === undefined) {
      const deaths = verdicts.convicted.get(unit);
      if (deaths !== undefined) {
        actions.push({ type: 'quarantine', unit, generation: action.generation, deaths });
        continue;
      }
      if (verdicts.waiting.has(unit)) continue;
    }
    if (action.type === 'start') {
      if (input.unread?.has(unit) === true) continue;
      changing ??= connectorsWithOldTasks(cluster.claims, configs);
      if (changing.has(parseUnitKey(unit).connector)) continue;
    }
    if (action.type === 'claim' && action.plan !== undefined) {
      ahead ??= connectorsWithNewerTasks(cluster.claims, configs);
      if (ahead.has(parseUnitKey(unit).connector)) continue;
    }
    if (action.type === 'stop' && action.moving === true) moves += 1;
    if (moves <= movesLeft || action.type !== 'stop' || action.moving !== true) actions.push(action);
  }
  return actions;
}

/**
 * A unit that runs goes on for as long as it runs on this node's present claim, for what is wanted now. `here`: this
 * node is wished for it, or nobody else would start it.
 */
function stopIfOver(
  unit: UnitKey,
  runs: RunningUnit,
  own: Claim | undefined,
  want: Wanted | undefined,
  here: boolean,
): Action | null {
  // A running generation newer than the wanted one: this view of the configs is behind.
  const fine = own?.epoch === runs.epoch && want?.active === true && runs.generation >= want.generation;
  if (!fine) return { type: 'stop', unit };
  if (here) return null;
  // Nobody starts one of an older config: as a move it would not end.
  const moving = parseUnitKey(unit).task !== null && want.outdated !== true;
  return moving ? { type: 'stop', unit, moving } : { type: 'stop', unit };
}

/**
 * A task that runs takes a newer config over by itself; one that is down may be so because of the one that it has, and would
 * not hear of it.
 */
function isDownWithOlder({ state, version }: RunningUnit, want: Wanted | undefined): boolean {
  const isDown = state === 'FAILED' || state === 'RESTARTING';
  return isDown && version !== undefined && (want?.version ?? 0) > version;
}

function next(
  unit: UnitKey,
  claim: Claim | undefined,
  own: Claim | undefined,
  want: Wanted | undefined,
): Action | null {
  if (own === undefined) {
    return want !== undefined && want.outdated !== true && claim === undefined ? claimOf(unit, want) : null;
  }
  if (want === undefined) return { type: 'release', unit, epoch: own.epoch };
  if (!want.active || want.outdated === true) return null;
  if (own.generation < want.generation) return claimOf(unit, want);
  if (own.generation > want.generation) return null;
  const { epoch, generation } = own;
  const { connector, task } = parseUnitKey(unit);
  return task === null
    ? { type: 'plan', unit, connector, epoch, generation }
    : { type: 'start', unit, epoch, generation };
}

function claimOf(unit: UnitKey, { generation, plan, active }: Wanted): Action {
  const of = plan === undefined ? {} : { plan };
  return { type: 'claim', unit, generation, ...of, ...(active ? {} : { idle: true }) };
}

/**
 * Connectors with tasks that are still claimed for an older plan. No task of the new one starts before they are all
 * given up: what one task read may be another's now, and both would read it.
 */
function connectorsWithOldTasks(
  claims: ReadonlyMap<UnitKey, Claim>,
  configs: ReadonlyMap<string, ConnectorEntry>,
): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { unit, generation } of claims.values()) {
    const { connector, task } = parseUnitKey(unit);
    if (task !== null && generation < (configs.get(connector)?.tasks?.generation ?? 0)) found.add(connector);
  }
  return found;
}

/** Connectors that others know a newer plan of: a claim for the older one would be refused (STALE_PLAN). */
function connectorsWithNewerTasks(
  claims: ReadonlyMap<UnitKey, Claim>,
  configs: ReadonlyMap<string, ConnectorEntry>,
): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { unit, plan } of claims.values()) {
    if (plan === undefined) continue;
    const { connector } = parseUnitKey(unit);
    if (plan > (configs.get(connector)?.tasks?.generation ?? 0)) found.add(connector);
  }
  return found;
}
