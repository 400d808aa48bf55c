import { assignParsed, parsed, type ParsedLoad, type Wish } from './assignment.js';
import { isQuarantined, type Suspect } from './quarantine.js';
import {
  unitGeneration,
  unitKey,
  type Claim,
  type ConnectorEntry,
  type Member,
  type NodeRef,
  type UnitKey,
} from '../model.js';

export interface Wanted {
  readonly generation: number;
  /** Of a task: the generation of its plan. */
  readonly plan?: number;
  /** Of a task: of the connector's config that it is to run with. */
  readonly version?: number;
  /** False: the unit is kept, and does nothing. */
  readonly active: boolean;
  /** A task of an older config, until the new plan is there: it runs on where it runs, and is started nowhere. */
  readonly outdated?: true;
}

/** What the wish is made from, the same on every node that has read as far. */
export interface ClusterFacts {
  readonly members: ReadonlyMap<string, NodeRef & Pick<Member, 'joining' | 'leaving'>>;
  readonly claims: ReadonlyMap<UnitKey, Claim>;
  /** Ids of nodes that get nothing. */
  readonly drained: { has(id: string): boolean };
  /** Absent: none. */
  readonly suspects?: ReadonlyMap<UnitKey, Suspect>;
}

const NO_SUSPECTS: ReadonlyMap<UnitKey, Suspect> = new Map();

/** Config key of a connector; MAX_WEIGHT as in its definition. */
const WEIGHT_KEY = 'task.weight';
const MAX_WEIGHT = 1000;

/** Whether the member may have units. */
export function takesUnits(
  { members, drained }: Pick<ClusterFacts, 'members' | 'drained'>,
  id: string,
): boolean {
  const member = members.get(id);
  return member?.joining !== true && member?.leaving !== true && !drained.has(id);
}

/** Load of each task of the connector. What is no number from 1 to 1000 (a reference, say) counts as 1. */
export function taskWeight({ config }: Pick<ConnectorEntry, 'config'>): number {
  const text = config[WEIGHT_KEY]?.trim() ?? '';
  const weight = /^\d{1,4}$/.test(text) ? Number(text) : 1;
  return weight >= 1 && weight <= MAX_WEIGHT ? weight : 1;
}

interface ConnectorUnit {
  readonly load: ParsedLoad;
  readonly wanted: Wanted;
}

/** Whether the tasks were planned from another config than the present one. */
function isOutdated({ tasks, version }: ConnectorEntry): boolean {
  return tasks !== null && tasks.connectorVersion !== version;
}

/** Made once for each version of a connector: with thousands of tasks it would be most of the work of every decision. */
const KNOWN_UNITS = new WeakMap<ConnectorEntry, readonly ConnectorUnit[]>();

/**
 * A connector's own unit always, planned unless it is STOPPED; its tasks while it is RUNNING or PAUSED. Tasks of an
 * older config run on until the new plan is there, and are not started any more, also not by a restart: it would be
 * the new config with the old plan.
 */
function unitsOf(entry: ConnectorEntry): readonly ConnectorUnit[] {
  const known = KNOWN_UNITS.get(entry);
  if (known !== undefined) return known;
  const active = entry.targetState !== 'STOPPED';
  const weight = taskWeight(entry);
  const { name, tasks } = entry;
  const units: ConnectorUnit[] = [
    {
      load: parsed({ unit: unitKey({ connector: name, task: null }), weight: 1 }),
      wanted: { generation: unitGeneration(entry, null) ?? 0, active },
    },
  ];
  for (let task = 0; active && tasks !== null && task < tasks.configs.length; task += 1) {
    const unit = unitKey({ connector: name, task });
    const plan = tasks.generation;
    const wanted: Wanted = isOutdated(entry)
      ? { generation: plan, plan, active, outdated: true }
      : {
          generation: unitGeneration(entry, task) ?? plan,
          plan,
          version: tasks.connectorVersion,
          active,
        };
    units.push({ load: parsed({ unit, weight }), wanted });
  }
  KNOWN_UNITS.set(entry, units);
  return units;
}

export function wantedUnits(configs: ReadonlyMap<string, ConnectorEntry>): Map<UnitKey, Wanted> {
  const all = new Map<UnitKey, Wanted>();
  for (const entry of configs.values())
    for (const { load, wanted } of unitsOf(entry)) all.set(load.unit, wanted);
  return all;
}

/** Planning and running are shared out separately: a plan is short work, a task is a thread. */
export function wishOf(
  { members, claims, drained, suspects = NO_SUSPECTS }: ClusterFacts,
  configs: ReadonlyMap<string, ConnectorEntry>,
): Wish {
  const owners = { get: (unit: UnitKey) => claims.get(unit)?.node.id };
  const connectors: ParsedLoad[] = [];
  const tasks: ParsedLoad[] = [];
  const lists = [...configs.values()].map(unitsOf);
  const most = lists.reduce((length, list) => Math.max(length, list.length), 0);
  // About as they will be sorted, which makes that quick: by number.
  for (let i = 0; i < most; i += 1) {
    for (const list of lists) {
      const unit = list[i];
      if (unit === undefined || isQuarantined(suspects.get(unit.load.unit), unit.wanted.generation)) continue;
      const { load } = unit;
      (load.task < 0 ? connectors : tasks).push(load);
    }
  }
  const nodes = [...members.keys()].filter((id) => takesUnits({ members, drained }, id));
  return assignParsed(nodes, tasks, owners, assignParsed(nodes, connectors, owners));
}
