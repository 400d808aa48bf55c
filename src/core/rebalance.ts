import { assign, type Load, type Wish } from './assignment.js';
import { sameNode } from './cluster-machine.js';
import {
  parseUnitKey,
  unitGeneration,
  unitKey,
  type Claim,
  type ConnectorEntry,
  type NodeRef,
  type UnitKey,
  type UnitState,
} from './model.js';

/** What this node has started: a task's thread, or (for a connector's unit) a plan that was made or failed. */
export interface RunningUnit {
  readonly epoch: number;
  readonly generation: number;
  /** FAILED stays here until it is stopped: a failed unit is not started again by itself. */
  readonly state: UnitState;
}

export type Action =
  /** Append CLAIM. With a claim of our own it asks for a new epoch, for the new generation. */
  | { readonly type: 'claim'; readonly unit: UnitKey; readonly generation: number }
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
  /** Stop the unit (a plan: forget it), and take it out of `running` once it is gone. */
  | { readonly type: 'stop'; readonly unit: UnitKey };

export interface RebalanceInput {
  readonly self: NodeRef;
  readonly cluster: {
    readonly members: ReadonlyMap<string, NodeRef>;
    readonly claims: ReadonlyMap<UnitKey, Claim>;
  };
  /** null: not known yet. */
  readonly configs: ReadonlyMap<string, ConnectorEntry> | null;
  readonly running: ReadonlyMap<UnitKey, RunningUnit>;
  /** Units with an action under way: nothing is decided about them until it is done. */
  readonly busy: ReadonlySet<UnitKey>;
  /** Load of a task; default 1. The same on every node. */
  readonly weightOf?: (entry: ConnectorEntry) => number;
}

interface Wanted {
  readonly generation: number;
  /** False: the unit is kept, and does nothing. */
  readonly active: boolean;
}

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
  const wish = wishOf(input, configs, wanted);
  const units = new Set([...wanted.keys(), ...running.keys()]);
  for (const claim of cluster.claims.values()) if (sameNode(claim.node, self)) units.add(claim.unit);
  const actions: Action[] = [];
  for (const unit of units) {
    if (busy.has(unit)) continue;
    const here = wish.get(unit) === self.id && cluster.members.get(self.id)?.incarnation === self.incarnation;
    const claim = cluster.claims.get(unit);
    const own = claim !== undefined && sameNode(claim.node, self) ? claim : undefined;
    const runs = running.get(unit);
    const want = here ? wanted.get(unit) : undefined;
    const action = runs !== undefined ? stopIfOver(unit, runs, own, want) : next(unit, claim, own, want);
    if (action !== null) actions.push(action);
  }
  return actions;
}

/** A unit that runs goes on for as long as it runs on this node's present claim, for what is wanted now. */
function stopIfOver(
  unit: UnitKey,
  runs: RunningUnit,
  own: Claim | undefined,
  want: Wanted | undefined,
): Action | null {
  // A running generation newer than the wanted one: this view of the configs is behind.
  const goesOn = own?.epoch === runs.epoch && want?.active === true && runs.generation >= want.generation;
  return goesOn ? null : { type: 'stop', unit };
}

function next(
  unit: UnitKey,
  claim: Claim | undefined,
  own: Claim | undefined,
  want: Wanted | undefined,
): Action | null {
  if (own === undefined) {
    return want !== undefined && claim === undefined
      ? { type: 'claim', unit, generation: want.generation }
      : null;
  }
  if (want === undefined) return { type: 'release', unit, epoch: own.epoch };
  if (!want.active) return null;
  if (own.generation < want.generation) return { type: 'claim', unit, generation: want.generation };
  if (own.generation > want.generation) return null;
  const { epoch, generation } = own;
  const { connector, task } = parseUnitKey(unit);
  return task === null
    ? { type: 'plan', unit, connector, epoch, generation }
    : { type: 'start', unit, epoch, generation };
}

/**
 * A connector's own unit always, planned unless it is STOPPED; its tasks while it is RUNNING or PAUSED. Tasks of an
 * older config run on until the new plan is there.
 */
function wantedUnits(configs: ReadonlyMap<string, ConnectorEntry>): Map<UnitKey, Wanted> {
  const wanted = new Map<UnitKey, Wanted>();
  for (const entry of configs.values()) {
    const active = entry.targetState !== 'STOPPED';
    wanted.set(entry.name, { generation: unitGeneration(entry, null) ?? entry.version, active });
    if (!active) continue;
    for (let task = 0; task < (entry.tasks?.configs.length ?? 0); task += 1) {
      const generation = unitGeneration(entry, task);
      if (generation !== null) wanted.set(unitKey({ connector: entry.name, task }), { generation, active });
    }
  }
  return wanted;
}

/** Planning and running are shared out separately: a plan is short work, a task is a thread. */
function wishOf(
  { cluster, weightOf }: RebalanceInput,
  configs: ReadonlyMap<string, ConnectorEntry>,
  wanted: ReadonlyMap<UnitKey, Wanted>,
): Wish {
  const owners = new Map<UnitKey, string>();
  for (const { unit, node } of cluster.claims.values()) owners.set(unit, node.id);
  const connectors: Load[] = [];
  const tasks: Load[] = [];
  for (const unit of wanted.keys()) {
    const { connector, task } = parseUnitKey(unit);
    const entry = configs.get(connector);
    if (task === null) connectors.push({ unit, weight: 1 });
    else
      tasks.push({ unit, weight: entry === undefined ? 1 : Math.max(1, Math.round(weightOf?.(entry) ?? 1)) });
  }
  const wish = assign(cluster.members.keys(), connectors, owners);
  for (const [unit, id] of assign(cluster.members.keys(), tasks, owners)) wish.set(unit, id);
  return wish;
}
