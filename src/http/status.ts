/** What a connector and its tasks are doing, in Kafka Connect's shape. Pure. */
import type { Suspect } from '../core/cluster/quarantine.js';
import type { ClusterView } from '../actors/discovery/protocol.js';
import {
  unitKey,
  type Claim,
  type ConnectorEntry,
  type NextStart,
  type Passive,
  type PastCause,
  type Stall,
  type StatusNote,
  type StatusProgress,
  type UnitKey,
  type UnitState,
  type UnitStatus,
} from '../core/model.js';

export type ConnectorType = 'source' | 'sink' | 'unknown';

export interface UnitStateInfo {
  readonly state: UnitState;
  /** The workerId; empty while nobody runs it. */
  readonly worker_id: string;
  /** Of its plugin; left out where that is not installed on the node that answers. */
  readonly version?: string;
  /** Cause of a failure; left out when there is none. */
  readonly trace?: string;
  /**
   * Ours: the task waits on its plugin since `since` (ms since 1970), in that call, which fails with `cause` when it is
   * tried again, or does not return; or, where the call is `heartbeat`,
   * the node that answers hears nothing from the log. Left out when neither is so.
   */
  readonly stalled?: Stall;
  /** Ours: bad records that the task has skipped since it started. Left out when there were none. */
  readonly skipped?: number;
  /** Ours: what a user should know though it runs, since when (ms since 1970). Left out when there is nothing. */
  readonly notes?: readonly StatusNote[];
  /** Ours: how far a long work is, in percent where that is known; since when, and when this was so (ms since 1970). */
  readonly progress?: StatusProgress;
  /**
   * Ours: since when (ms since 1970) it has had nothing to do, and no thread: it is woken by the next record, or at `until`.
   * Left out where it has one.
   */
  readonly passive?: Passive;
  /**
   * Ours: versions of the connector's config. `refused`: one that the task could not take over, and why; null: it is about to take over
   * what is planned. Left out where it runs with what is planned.
   */
  readonly config?: TaskConfigInfo;
  /** Ours, of one that is RESTARTING after a failure: when it is started (ms since 1970), and how many starts are left after that. */
  readonly restart?: NextStart;
  /** Ours: why it has failed since its node has it, the last ones, the oldest first (`at`: ms since 1970). Left out where it has not. */
  readonly causes?: readonly CauseInfo[];
}

export interface CauseInfo extends PastCause {
  readonly worker_id: string;
}

export interface TaskConfigInfo {
  readonly running: number;
  readonly refused: number | null;
  readonly reason: string | null;
}

export interface TaskStateInfo extends UnitStateInfo {
  readonly id: number;
}

export interface ConnectorStatus {
  readonly name: string;
  readonly connector: UnitStateInfo;
  readonly tasks: readonly TaskStateInfo[];
  readonly type: ConnectorType;
  /** Ours: of a config that cannot be planned, so that its tasks run on with the one before; else that of the first task that has refused one. */
  readonly config?: TaskConfigInfo;
}

/** A view made ready for looking up units: made once for however many connectors. */
export interface UnitIndex {
  readonly claims: ReadonlyMap<UnitKey, Claim>;
  readonly statuses: ReadonlyMap<UnitKey, UnitStatus>;
  readonly suspects?: ReadonlyMap<UnitKey, Suspect>;
  readonly suspendedSince: number | null;
}

export function indexUnits(view: ClusterView): UnitIndex {
  return {
    claims: new Map(view.claims.map((claim) => [claim.unit, claim])),
    statuses: new Map(view.statuses.map((status) => [status.unit, status])),
    suspects: new Map((view.suspects ?? []).map((suspect) => [suspect.unit, suspect])),
    suspendedSince: view.suspendedSince ?? null,
  };
}

export function connectorStatus(
  entry: ConnectorEntry,
  units: UnitIndex,
  kind: { readonly type: ConnectorType; readonly version: string | null },
): ConnectorStatus {
  const { type, version } = kind;
  const versioned = <T extends UnitStateInfo>(unit: T): T => (version === null ? unit : { ...unit, version });
  const tasks = taskStates(entry, units).map(versioned);
  const unplanned = unplannedConfig(entry, units);
  const refusing = tasks.find(({ config }) => config !== undefined && config.refused !== null);
  return {
    name: entry.name,
    connector: versioned(connectorState(entry, units)),
    tasks,
    type,
    ...(unplanned !== null
      ? { config: unplanned }
      : refusing?.config !== undefined && { config: refusing.config }),
  };
}

/** The status with the restarted units shown RESTARTING, which they are from the moment the request is in the log. */
export function restarting(
  status: ConnectorStatus,
  connector: boolean,
  tasks: readonly number[],
): ConnectorStatus {
  const chosen = new Set(tasks);
  return {
    ...status,
    // A stopped connector stays so.
    connector:
      connector && status.connector.state !== 'STOPPED' ? asRestarting(status.connector) : status.connector,
    tasks: status.tasks.map((task) => (chosen.has(task.id) ? { id: task.id, ...asRestarting(task) } : task)),
  };
}

function asRestarting(unit: UnitStateInfo): UnitStateInfo {
  const { worker_id, version } = unit;
  return { state: 'RESTARTING', worker_id, ...(version !== undefined && { version }) };
}

/** A failure is told whatever is wanted, except of a connector that is stopped; else what is wanted, else what is seen. */
function connectorState(entry: ConnectorEntry, units: UnitIndex): UnitStateInfo {
  const seen = unitState(entry.name, units, restartOf(entry, null));
  if (entry.targetState === 'STOPPED') return { state: 'STOPPED', worker_id: seen.worker_id };
  if (seen.state === 'FAILED' || seen.state === 'RESTARTING') return seen;
  if (entry.targetState === 'PAUSED') return { ...seen, state: 'PAUSED' };
  // Resumed, and its owner has not said so yet.
  return seen.state === 'PAUSED' || seen.state === 'STOPPED' ? { ...seen, state: 'RUNNING' } : seen;
}

/** A stopped connector has no tasks, apart from those that somebody is still stopping. */
function taskStates(entry: ConnectorEntry, units: UnitIndex): readonly TaskStateInfo[] {
  const tasks: TaskStateInfo[] = [];
  const count = entry.tasks?.configs.length ?? 0;
  for (let id = 0; id < count; id += 1) {
    const unit = unitKey({ connector: entry.name, task: id });
    if (entry.targetState === 'STOPPED' && !units.claims.has(unit)) continue;
    const seen = unitState(unit, units, restartOf(entry, id));
    // Kafka Connect's tasks are never STOPPED.
    if (seen.state === 'STOPPED') tasks.push({ id, state: 'UNASSIGNED', worker_id: seen.worker_id });
    else tasks.push({ id, ...seen, ...configOf(entry, seen, units.statuses.get(unit)) });
  }
  return tasks;
}

/** Its tasks run on with an older config, as the present one cannot be planned. */
function unplannedConfig(entry: ConnectorEntry, units: UnitIndex): TaskConfigInfo | null {
  const { tasks, version, targetState } = entry;
  if (tasks === null || tasks.connectorVersion === version || targetState === 'STOPPED') return null;
  const { state, trace = '' } = unitState(entry.name, units, 0);
  if (state !== 'FAILED' || (units.claims.get(entry.name)?.generation ?? 0) < version) return null;
  return { running: tasks.connectorVersion, refused: version, reason: trace.split('\n', 1)[0] ?? '' };
}

/** Of a task that runs, and not with what is planned for it. */
function configOf(
  { tasks }: ConnectorEntry,
  { state }: UnitStateInfo,
  status: UnitStatus | undefined,
): Pick<UnitStateInfo, 'config'> {
  if (status?.config === undefined || tasks === null || (state !== 'RUNNING' && state !== 'PAUSED'))
    return {};
  const { running, refused } = status.config;
  if (refused !== undefined) return { config: { running, refused: refused.version, reason: refused.reason } };
  return running < tasks.connectorVersion ? { config: { running, refused: null, reason: null } } : {};
}

/** The config offset of the restart that it was last asked for; 0: of none, or it is not to run. */
function restartOf({ targetState, restarts }: ConnectorEntry, task: number | null): number {
  if (targetState !== 'RUNNING' || restarts === undefined) return 0;
  return task === null ? restarts.connector : (restarts.tasks[task] ?? 0);
}

/**
 * Only the present owner's word counts, and not where it is of before a restart that was asked for; a failure that nobody has
 * taken over since is still told.
 */
function unitState(
  unit: UnitKey,
  { claims, statuses, suspects, suspendedSince }: UnitIndex,
  restart: number,
): UnitStateInfo {
  const claim = claims.get(unit);
  if (claim !== undefined && claim.generation < restart)
    return { state: 'RESTARTING', worker_id: claim.node.id };
  const status = statuses.get(unit);
  const current =
    status !== undefined && (claim === undefined ? status.state === 'FAILED' : status.epoch >= claim.epoch);
  if (!current) {
    const deaths = claim === undefined ? (suspects?.get(unit)?.deaths.length ?? 0) : 0;
    const trace = `it was running, or being planned, at ${deaths} deaths of nodes: when these come often, such units are started apart from each other, and this one waits for its turn (quarantine.deaths)`;
    return { state: 'UNASSIGNED', worker_id: claim?.node.id ?? '', ...(deaths > 1 && { trace }) };
  }
  // What is known is as old as this node's last heartbeat.
  const stalled =
    suspendedSince === null || status.state === 'FAILED'
      ? status.stalled
      : { since: suspendedSince, call: 'heartbeat' };
  return {
    state: status.state,
    worker_id: status.node.id,
    ...(status.trace === null || status.trace === '' ? {} : { trace: status.trace }),
    ...(stalled === null ? {} : { stalled }),
    ...(status.skipped === undefined ? {} : { skipped: status.skipped }),
    ...(status.notes === undefined || status.notes.length === 0 ? {} : { notes: status.notes }),
    ...(status.progress === undefined ? {} : { progress: status.progress }),
    ...(status.passive === undefined ? {} : { passive: status.passive }),
    ...(status.restart === undefined ? {} : { restart: status.restart }),
    ...(status.causes === undefined
      ? {}
      : { causes: status.causes.map((each) => ({ ...each, worker_id: status.node.id })) }),
  };
}
