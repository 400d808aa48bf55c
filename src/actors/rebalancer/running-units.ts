import type { NextStart, Passive, PastCause, StatusNote, UnitKey, UnitState } from '../../core/model.js';
import { hideSecrets } from '../kernel/known-secrets.js';
import type { DiscoveryProtocol } from '../discovery/protocol.js';
import type { ActorLogger, ExitReason, Ref, SystemEvent } from '../kernel/protocol.js';
import type { NodeState } from './node-state.js';
import type { AllocatedUnit, RebalancerProtocol } from './protocol.js';
import { Statuses } from './statuses.js';
import type { TaskChild } from './task-children.js';
import { TaskThreads } from './task-threads.js';

/** Causes of a unit's failures that are kept, and characters of each. */
const MAX_CAUSES = 5;
const MAX_CAUSE = 500;

/** What a sink still waits for when it rests. */
const MISSING_TOPICS = 'topics';

/** What this node runs, tasks and planned connectors, and what it tells the cluster of them. */
export class RunningUnits {
  readonly #units = new Map<UnitKey, AllocatedUnit>();
  /** Of what runs: what holds for as long as it does. */
  readonly #kept = new Map<UnitKey, readonly StatusNote[]>();
  readonly #threads = new TaskThreads();
  readonly #statuses: Statuses;
  /** Why units have failed since this node has them. */
  readonly #causes = new Map<UnitKey, readonly PastCause[]>();
  readonly #log: ActorLogger;

  constructor(discovery: Ref<DiscoveryProtocol>, log: ActorLogger) {
    this.#statuses = new Statuses(discovery);
    this.#log = log;
  }

  get all(): ReadonlyMap<UnitKey, AllocatedUnit> {
    return this.#units;
  }

  /** What an earlier rebalancer has started. */
  adopt({ state, lastExit, params }: TaskChild): void {
    const { unit, epoch, generation, config, version } = params;
    const failed = state === 'failed';
    const seen = failed ? 'FAILED' : state === 'backoff' || state === 'starting' ? 'RESTARTING' : 'RUNNING';
    this.#units.set(unit, { unit, epoch, generation, config, version, state: seen });
    if (failed && lastExit !== undefined) this.report(unit, 'FAILED', trace(lastExit));
  }

  begin(unit: AllocatedUnit): void {
    this.#threads.forget(unit.unit);
    this.#kept.delete(unit.unit);
    this.#units.set(unit.unit, unit);
  }

  end(unit: UnitKey): void {
    this.#causes.delete(unit);
    this.#units.delete(unit);
    this.#kept.delete(unit);
    this.#threads.forget(unit);
  }

  /** It runs with another config now. */
  changed(unit: UnitKey, config: AllocatedUnit['config']): void {
    const running = this.#units.get(unit);
    if (running !== undefined) this.#units.set(unit, { ...running, config });
  }

  /** It has no thread until it has something to do. What its last one has said of it still holds. */
  rests(unit: UnitKey, passive: Passive, state: 'RUNNING' | 'PAUSED'): void {
    const running = this.#units.get(unit);
    if (running === undefined) return;
    const { epoch } = running;
    const last = this.#statuses.last(unit);
    const before = last?.epoch === epoch ? last : { unit, epoch };
    this.#units.set(unit, { ...running, state });
    const stalled = last?.stalled?.call === MISSING_TOPICS ? last.stalled : null;
    this.#say({ ...before, state, trace: null, stalled, passive });
  }

  report(unit: UnitKey, state: UnitState, cause: string | null, restart?: NextStart): void {
    const running = this.#units.get(unit);
    if (running === undefined) return;
    this.#units.set(unit, { ...running, state });
    const kept = this.#kept.get(unit) ?? [];
    const notes = kept.length > 0 && { notes: kept };
    this.#say({
      unit,
      epoch: running.epoch,
      state,
      trace: cause,
      stalled: null,
      ...(restart && { restart }),
      ...notes,
    });
  }

  /** Said with each word of the unit, until it ends or begins anew. */
  keep(unit: UnitKey, notes: readonly StatusNote[]): void {
    if (notes.length === 0) this.#kept.delete(unit);
    else this.#kept.set(unit, notes);
  }

  /** What a user should know of a connector that was planned. */
  note(unit: UnitKey, more: readonly StatusNote[]): void {
    const running = this.#units.get(unit);
    if (running === undefined) return;
    const { epoch, state } = running;
    const notes = [...(this.#kept.get(unit) ?? []), ...more];
    this.#say({
      unit,
      epoch,
      state,
      trace: null,
      stalled: null,
      ...(notes.length > 0 && { notes }),
    });
  }

  onTaskState(word: RebalancerProtocol['tell']['taskState']): void {
    const { unit, epoch, incarnation, state, stalled, skipped, notes, progress, config } = word;
    const running = this.#units.get(unit);
    // One that has failed for good is not started again: not before it was stopped.
    if (running?.epoch !== epoch || running.state === 'FAILED') return;
    if (!this.#threads.speaks(unit, incarnation)) return;
    const version = Math.max(running.version ?? 0, config?.running ?? 0, config?.refused?.version ?? 0);
    this.#units.set(unit, { ...running, version, state });
    const more = {
      ...(skipped !== undefined && { skipped }),
      ...(notes !== undefined && { notes }),
      ...(progress !== undefined && { progress }),
      ...(config !== undefined && { config }),
    };
    this.#say({ unit, epoch, state, trace: null, stalled, ...more });
  }

  /** Whether the thread of that incarnation was the last one heard of: it has ended. */
  ends(unit: UnitKey, incarnation: number): boolean {
    return this.#units.has(unit) && this.#threads.ends(unit, incarnation);
  }

  /** `stopping`: told to stop, so that how its thread ends is no news. */
  onTaskEvent(event: SystemEvent, stopping: boolean): void {
    if (event.type === 'started' || !this.#units.has(event.id)) return;
    const { code, message } = event.reason;
    if (event.type === 'stuck') {
      // Also one that is being stopped: it is not, and nobody would know why.
      this.report(event.id, 'FAILED', trace(event.reason));
      this.#log.error({ task: event.id, code }, message);
      return;
    }
    if (stopping || !this.#threads.ends(event.id, event.incarnation)) return;
    const { restartInMs, restartsLeft } = event;
    this.#failed(event.id, trace(event.reason));
    const restart =
      restartInMs !== null && restartsLeft !== undefined
        ? { at: Date.now() + Math.round(restartInMs), left: restartsLeft }
        : undefined;
    this.report(event.id, restartInMs === null ? 'FAILED' : 'RESTARTING', trace(event.reason), restart);
    const next = restartInMs === null ? 'it stays down' : `it starts again in ${Math.round(restartInMs)} ms`;
    this.#log.warn({ task: event.id, code }, `a task failed, ${next}: ${message}`);
  }

  #failed(unit: UnitKey, whole: string): void {
    const cause = hideSecrets(whole.split('\n', 1)[0] ?? '', MAX_CAUSE);
    const known = this.#causes.get(unit) ?? [];
    this.#causes.set(unit, [...known, { at: Date.now(), cause }].slice(-MAX_CAUSES));
  }

  #say(status: Parameters<Statuses['say']>[0]): void {
    const causes = this.#causes.get(status.unit);
    this.#statuses.say(causes === undefined ? status : { ...status, causes });
  }

  /** What was said and the cluster does not know. */
  repeatStatuses(state: NodeState): void {
    this.#statuses.repeat(state);
  }
}

function trace({ code, message, stack, errorCode }: ExitReason): string {
  // A plugin's error has a code of its own; what the supervisor found is named by the supervisor.
  const name = code === 'CRASH' || code === 'START_FAILED' ? (errorCode ?? code) : code;
  return stack === undefined ? `${name}: ${message}` : `${name}: ${message}\n${stack}`;
}
