import { pendingSignals } from '#troupe/core/connectors/signals.js';
import { isQuarantined, judge } from '#troupe/core/cluster/quarantine.js';
import { wantedUnits as wantedOf } from '#troupe/core/cluster/wanted-units.js';
import {
  parseUnitKey,
  unitGeneration,
  unitKey,
  type ConnectorEntry,
  type UnitKey,
} from '#troupe/core/model.js';
import type { SimulatedNode } from './simulated-node.js';
import type { World } from './world.js';

const REPLANNED_MS = 7000;

/** Invariant 4: every unit that is wanted runs where it is claimed, for what is wanted now. Else what is not so. */
export function notConverged(world: World, live: readonly SimulatedNode[]): string | null {
  const { cluster, config } = world.invariants;
  const members = [...cluster.state.members.values()].map(({ incarnation }) => incarnation).sort();
  const alive = live.map(({ self }) => self.incarnation).sort();
  if (members.join() !== alive.join()) return `the members are ${members.join()}, alive are ${alive.join()}`;
  const tasks = new Map<UnitKey, string>();
  for (const { self, supervisor } of live) {
    const [stopping] = supervisor.stopping;
    // It runs, and will not any more: whoever runs it next is still to be found.
    if (stopping !== undefined) return `${stopping} is being stopped on ${self.incarnation}`;
    const running = supervisor.tasks.map(({ params }) => params);
    for (const { unit, epoch } of [...running, ...supervisor.passive]) {
      if (tasks.has(unit)) return `${unit} runs twice`;
      tasks.set(unit, `${self.incarnation} at epoch ${epoch}`);
    }
  }
  const wanted = wantedUnits(config.state.connectors);
  const waiting = waitingUnits(world);
  const held = heldBack(world, waiting);
  for (const [unit, generation] of wanted) {
    const claim = cluster.state.claims.get(unit);
    if (generation === null && held.has(parseUnitKey(unit).connector)) continue;
    if (generation === null) return `${unit} is not planned`;
    if (isQuarantined(cluster.state.suspects.get(unit), generation)) {
      if (claim !== undefined || tasks.has(unit)) return `${unit} is quarantined, and somebody has it`;
      continue;
    }
    if (claim === undefined && waiting.has(unit)) continue;
    if (claim === undefined) return `${unit} has no owner`;
    if (claim.generation !== generation) return `${unit} is claimed for what is not wanted any more`;
    if (parseUnitKey(unit).task === null) continue;
    const owner = `${claim.node.incarnation} at epoch ${claim.epoch}`;
    if (tasks.get(unit) !== owner) return `${unit} belongs to ${owner}, runs on ${tasks.get(unit) ?? 'none'}`;
  }
  for (const unit of tasks.keys()) {
    if (wanted.has(unit) || held.has(parseUnitKey(unit).connector)) continue;
    return `${unit} runs and is not wanted`;
  }
  for (const { supervisor } of live)
    for (const { params, version } of supervisor.tasks) {
      const entry = config.state.connectors.get(parseUnitKey(params.unit).connector);
      if (entry?.tasks?.connectorVersion !== entry?.version || entry?.version === version) continue;
      return `${params.unit} runs with version ${version} of its config, and not with ${entry?.version}`;
    }
  const unanswered = unansweredSignal(world);
  if (unanswered !== null) return unanswered;
  // Those that wait have their places already, and what an older plan has left stays where it is.
  if (waiting.size > 0 || held.size > 0) return null;
  const loads = live.map(({ supervisor }) => supervisor.tasks.length + supervisor.passive.length);
  return Math.max(...loads) - Math.min(...loads) > 1 ? `loads are ${loads.join(', ')}` : null;
}

/** Who runs answers; and what was asked of planning sides is done. */
function unansweredSignal({ invariants, time }: World): string | null {
  const { cluster, config } = invariants;
  for (const { name, id, units } of pendingSignals(config.state.signals))
    for (const unit of units)
      // One that waits for a call of its own to succeed, as a commit, takes it after that.
      if (cluster.state.claims.has(unit) && (cluster.state.statuses.get(unit)?.stalled ?? null) === null)
        return `signal ${id} of ${name} is not answered by ${unit}`;
  // Plans of one connector have some seconds between them.
  if (time.now < invariants.disturbedAt + REPLANNED_MS) return null;
  for (const { name, replans, targetState } of config.state.connectors.values())
    if (
      targetState !== 'STOPPED' &&
      cluster.state.claims.has(name) &&
      (replans?.asked ?? 0) > (replans?.planned ?? 0)
    )
      return `${name} is not planned again`;
  return null;
}

/** Connectors whose plan is not to be made, or not yet: nodes died of it, or beside it. */
function heldBack({ invariants }: World, waiting: ReadonlySet<UnitKey>): ReadonlySet<string> {
  const { cluster, config } = invariants;
  const { claims, suspects } = cluster.state;
  const entries = [...config.state.connectors.values()].filter(({ name }) => !claims.has(name));
  const isHeld = (entry: ConnectorEntry): boolean =>
    waiting.has(entry.name) || isQuarantined(suspects.get(entry.name), unitGeneration(entry, null) ?? 0);
  return new Set(entries.filter(isHeld).map(({ name }) => name));
}

/** Tasks and plans that were there when nodes died, and are not started before others that were. */
export function waitingUnits({ invariants, quarantine }: World): ReadonlySet<UnitKey> {
  const { cluster, config } = invariants;
  return judge(cluster.state.suspects, wantedOf(config.state.connectors), quarantine).waiting;
}

/** Which node holds another state than the log says; null: none. */
export function differing({ invariants }: World, live: readonly SimulatedNode[]): string | null {
  for (const { self, replicas } of live) {
    for (const topic of ['cluster', 'config', 'positions', 'offsets'] as const) {
      if (replicas[topic].digest() !== invariants[topic].digest()) return `${topic} of ${self.incarnation}`;
    }
  }
  return null;
}

function wantedUnits(connectors: ReadonlyMap<string, ConnectorEntry>): Map<UnitKey, number | null> {
  const units = new Map<UnitKey, number | null>();
  for (const entry of connectors.values()) {
    if (entry.targetState === 'STOPPED') continue;
    const count = Number(entry.config['tasks.max']);
    // Tasks of an older config run on until they are planned anew, which is still to come.
    const planned = entry.tasks?.connectorVersion === entry.version;
    for (const task of [null, ...Array.from({ length: count }, (_, i) => i)]) {
      units.set(unitKey({ connector: entry.name, task }), planned ? unitGeneration(entry, task) : null);
    }
  }
  return units;
}
