/** The words of the cluster as data: what the replicated states hold. Pure types. */
import type { JsonObject } from '../sdk/record.js';

/** `connector` alone names the planning of its tasks; with `task` (a number from 0) one task. */
export interface UnitId {
  readonly connector: string;
  readonly task: number | null;
}

/** `name` or `name/0`: connector names may not hold a slash. */
export type UnitKey = string;

export function unitKey(unit: UnitId): UnitKey {
  return unit.task === null ? unit.connector : `${unit.connector}/${unit.task}`;
}

export function parseUnitKey(key: UnitKey): UnitId {
  const slash = key.lastIndexOf('/');
  return slash < 0
    ? { connector: key, task: null }
    : { connector: key.slice(0, slash), task: Number(key.slice(slash + 1)) };
}

/** The log's consumer group of a sink connector: its tasks share it. */
export function groupOf(unit: UnitKey): string {
  return `connect-${parseUnitKey(unit).connector}`;
}

/** One life of one node. The id is the workerId; a restart is a new incarnation. */
export interface NodeRef {
  readonly id: string;
  readonly incarnation: string;
}

export interface Member extends NodeRef {
  /** Where its REST answers, for people; nodes do not call each other. */
  readonly restUrl: string;
  readonly joinedAt: number;
  /** The sender's wall clock at its last heartbeat: shown, never compared. */
  readonly heartbeatAt: number;
  /** It has joined, and cannot run anything yet. */
  readonly joining?: boolean;
  /** It stops, and gives its units away. */
  readonly leaving?: boolean;
  /** Of the operating system, whatever its incarnations: which deaths were none. */
  readonly process?: string;
}

export interface Claim {
  readonly unit: UnitKey;
  readonly node: NodeRef;
  /** Grows with every grant in the cluster, so it orders all owners of a unit. */
  readonly epoch: number;
  /** What the claim is for: the unit's generation (`unitGeneration`) when it was made. */
  readonly generation: number;
  /** Of a task: the generation of the plan it belongs to. */
  readonly plan?: number;
  /** Of a connector that is stopped: its plan is not made for now. */
  readonly idle?: boolean;
  /** When it was granted, by the owner's clock. */
  readonly at?: number;
}

export type UnitState = 'UNASSIGNED' | 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'RESTARTING';

/** What a task waits for. */
export interface Stall {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly call: string;
  /** Of the last try, where it is tried again and again; left out where a call does not return. */
  readonly cause?: string;
}

export interface UnitStatus {
  readonly unit: UnitKey;
  readonly node: NodeRef;
  readonly epoch: number;
  readonly state: UnitState;
  /** Cause of a failure: message, code and stack as text. */
  readonly trace: string | null;
  /** Set while the task is waiting on its plugin past the deadline, or for a call to succeed. */
  readonly stalled: Stall | null;
  /** Bad records that the task has skipped since it started; absent: none. */
  readonly skipped?: number;
  /** What a user should know of it though it runs. */
  readonly notes?: readonly StatusNote[];
  /** Of a long work that is under way. */
  readonly progress?: StatusProgress;
  /** It has nothing to do, and no thread until it has. */
  readonly passive?: Passive;
  /** Where it is RESTARTING after a failure. */
  readonly restart?: NextStart;
  /** Why it has failed since its node has it, the last ones, the oldest first. Bounded by who says it. */
  readonly causes?: readonly PastCause[];
  /** Absent: of a node that does not say so. */
  readonly config?: RunningConfig;
}

/** Versions of the connector's config. */
export interface RunningConfig {
  readonly running: number;
  /** A newer one that the task could not take over, and why. */
  readonly refused?: { readonly version: number; readonly reason: string };
}

export interface NextStart {
  /** When it is started again; milliseconds since 1970. */
  readonly at: number;
  /** How many starts are left after that one, before it stays FAILED. */
  readonly left: number;
}

export interface PastCause {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly cause: string;
}

export interface Passive {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** When it wakes whatever comes, where it has said so; milliseconds since 1970. */
  readonly until?: number;
}

export interface StatusProgress {
  readonly text: string;
  /** 0 to 100; absent: nobody knows. */
  readonly percent?: number;
  /** When the work began, and when this was so; milliseconds since 1970. */
  readonly since: number;
  readonly at: number;
}

export interface StatusNote {
  readonly code: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly message: string;
}

export type TargetState = 'RUNNING' | 'PAUSED' | 'STOPPED';

export interface ConnectorEntry {
  readonly name: string;
  /** As the user wrote it; references to secrets stay references. */
  readonly config: Readonly<Record<string, string>>;
  readonly targetState: TargetState;
  /** Log offset of the last change of `config`: its version. */
  readonly version: number;
  /** The last restart request: its log offset, and what it covers. */
  readonly restart: {
    readonly offset: number;
    readonly connector: boolean;
    readonly tasks: readonly number[];
  } | null;
  /** Log offset of the newest restart request of each unit that had one; absent: none was ever asked for. */
  readonly restarts?: { readonly connector: number; readonly tasks: Readonly<Record<number, number>> };
  /** The planned tasks; null until they were planned. */
  readonly tasks: TaskSet | null;
  /**
   * Log offset of the newest request for a new plan from the same config, and of the newest that a plan has seen. Absent: none
   * was ever asked for.
   */
  readonly replans?: { readonly asked: number; readonly planned: number };
}

export interface TaskSet {
  /** Version of the connector config they were planned from. */
  readonly connectorVersion: number;
  /** Log offset of the change: the tasks' generation. Planned again with the same outcome they keep theirs. */
  readonly generation: number;
  readonly configs: readonly Readonly<Record<string, string>>[];
  /** Of the claim that they were planned on, the newest that came to this outcome. */
  readonly epoch?: number;
  /** Keys of the connector's config that have changed since, where tasks take over all of them while they run. */
  readonly changed?: readonly string[];
}

export interface SourcePosition {
  readonly partition: JsonObject;
  readonly position: JsonObject;
}

/** What a source says of a partition; null: it is gone for good, and its position is forgotten. */
export interface PositionWord {
  readonly partition: JsonObject;
  readonly position: JsonObject | null;
}

/**
 * How much of a transaction that is too large for one append stands in the log. The position of its partition stays before it
 * until the whole of it does.
 */
export interface TransactionPart {
  readonly partition: JsonObject;
  readonly id: string;
  /** Its first records, as they were polled; 0: whatever stands there, nothing of it counts. */
  readonly records: number;
  /** Of the last of these. */
  readonly position: JsonObject;
}

/** What goes with a source's records into the position topic. */
export type ProgressWord = PositionWord | { readonly part: TransactionPart };

/**
 * The config offset that a unit's present start must be for: the newest of its config, its plan and its restart
 * requests. A unit that runs for an older one is stopped, claimed anew (which gives it a new epoch) and started.
 * null: there is no such unit.
 */
export function unitGeneration(entry: ConnectorEntry, task: number | null): number | null {
  if (task === null) return Math.max(entry.version, entry.restarts?.connector ?? 0);
  if (entry.tasks === null || task >= entry.tasks.configs.length) return null;
  return Math.max(entry.tasks.generation, entry.restarts?.tasks[task] ?? 0);
}
