import type { Backoff } from '../../core/backoff.js';
import { PlanRetries } from '../../core/cluster/plan-retries.js';
import type { StatusNote, UnitKey } from '../../core/model.js';
import type { ConfigSyncProtocol } from '../config-sync/protocol.js';
import { ActorError } from '../kernel/errors.js';
import type { ActorLogger, Ref } from '../kernel/protocol.js';
import type { NodeState } from './node-state.js';
import type { RunningUnits } from './running-units.js';

/** Planning has a deadline of its own, in config-sync. */
const PLAN_ASK_MS = 600_000;
/** However many ask: a plan takes one of few threads. */
const MIN_GAP_MS = 5000;
/** Until what did not come to a plan is tried again. */
const AGAIN_MS = 1000;

export interface ReplansParts {
  readonly configSync: Ref<ConfigSyncProtocol>;
  readonly state: Pick<NodeState, 'configs'>;
  readonly units: Pick<RunningUnits, 'all' | 'note'>;
  readonly backoff: Backoff;
  /** Of plans that cost a thread or its memory; then only the next request, or interval, brings one. */
  readonly maxCostly: number;
  readonly log: Pick<ActorLogger, 'warn'>;
}

/** Of a connector that this node has planned. All times are of the monotonic clock, in milliseconds. */
interface Watch {
  readonly epoch: number;
  /** null: not by time. */
  afterMs: number | null;
  dueAt: number;
  notBefore: number;
  /** The newest request that a plan has failed at for good. */
  givenUp: number;
  failingSince: number | null;
  timer: NodeJS.Timeout | null;
  underWay: AbortController | null;
}

/**
 * Plans connectors again whose config has not changed: when they said so (`replanAfterMs`), or somebody asked for it. Their tasks
 * run on meanwhile, and also when the plan fails; then the status says so, and it is tried again.
 */
export class Replans {
  readonly #parts: ReplansParts;
  readonly #retries: PlanRetries;
  readonly #watches = new Map<UnitKey, Watch>();

  constructor(parts: ReplansParts) {
    this.#parts = parts;
    this.#retries = new PlanRetries(parts.backoff, parts.maxCostly);
  }

  /** It was planned for the first time under this epoch. */
  planned(unit: UnitKey, epoch: number, afterMs: number | null): void {
    this.#forget(unit);
    const now = performance.now();
    this.#watches.set(unit, {
      epoch,
      afterMs,
      dueAt: now + (afterMs ?? Infinity),
      notBefore: now,
      givenUp: 0,
      failingSince: null,
      timer: null,
      underWay: null,
    });
    this.look();
  }

  /** After whatever may have changed. */
  look(): void {
    for (const [unit, watch] of this.#watches) {
      const running = this.#parts.units.all.get(unit);
      if (running?.epoch !== watch.epoch || running.state !== 'RUNNING') this.#forget(unit);
      else this.#schedule(unit, watch);
    }
  }

  stop(): void {
    for (const unit of [...this.#watches.keys()]) this.#forget(unit);
  }

  #forget(unit: UnitKey): void {
    const watch = this.#watches.get(unit);
    if (watch === undefined) return;
    if (watch.timer !== null) clearTimeout(watch.timer);
    watch.underWay?.abort();
    this.#watches.delete(unit);
    this.#retries.forget(unit);
  }

  #schedule(unit: UnitKey, watch: Watch): void {
    if (watch.underWay !== null) return;
    if (watch.timer !== null) clearTimeout(watch.timer);
    watch.timer = null;
    const { asked = 0, planned = 0 } = this.#parts.state.configs?.get(unit)?.replans ?? {};
    const isAsked = asked > Math.max(planned, watch.givenUp);
    const at = Math.max(watch.notBefore, isAsked ? -Infinity : watch.dueAt);
    if (at === Infinity) return;
    const waitMs = at - performance.now();
    if (waitMs <= 0) void this.#plan(unit, watch, asked);
    else {
      watch.timer = setTimeout(() => {
        watch.timer = null;
        this.#schedule(unit, watch);
      }, Math.ceil(waitMs));
    }
  }

  /** Fails for no reason that anybody need hear of. */
  async #plan(unit: UnitKey, watch: Watch, asked: number): Promise<void> {
    const underWay = new AbortController();
    watch.underWay = underWay;
    const begunAt = performance.now();
    try {
      const request = { name: unit, epoch: watch.epoch };
      const options = { deadlineMs: PLAN_ASK_MS, signal: underWay.signal };
      const { replanAfterMs } = await this.#parts.configSync.ask('plan', request, options);
      this.#succeeded(unit, watch, replanAfterMs);
      watch.notBefore = begunAt + MIN_GAP_MS;
    } catch (error) {
      if (underWay.signal.aborted) return;
      this.#failed(unit, watch, asked, error);
    } finally {
      watch.underWay = null;
      if (this.#watches.get(unit) === watch) this.look();
    }
  }

  #succeeded(unit: UnitKey, watch: Watch, afterMs: number | null): void {
    this.#retries.forget(unit);
    watch.afterMs = afterMs;
    watch.dueAt = performance.now() + (afterMs ?? Infinity);
    if (watch.failingSince === null) return;
    watch.failingSince = null;
    this.#parts.units.note(unit, []);
  }

  #failed(unit: UnitKey, watch: Watch, asked: number, error: unknown): void {
    const code = error instanceof ActorError ? error.remoteCode : null;
    const now = performance.now();
    // It is to be done all the same, by time or by whoever asked.
    watch.dueAt = now;
    if (code === null || code === 'TASKS_STALE' || code === 'CONNECTOR_NOT_FOUND') {
      watch.notBefore = now + AGAIN_MS;
      return;
    }
    const message = error instanceof Error ? error.message : String(error);
    const delayMs = this.#retries.failed(unit, code, Math.random());
    if (delayMs === null) {
      watch.givenUp = asked;
      watch.dueAt = now + (watch.afterMs ?? Infinity);
      watch.notBefore = now + MIN_GAP_MS;
    } else watch.notBefore = now + Math.max(delayMs, AGAIN_MS);
    watch.failingSince ??= Date.now();
    const note = { code: 'REPLAN_FAILED', since: watch.failingSince, message: `${code}: ${message}` };
    this.#parts.units.note(unit, [shortened(note)]);
    this.#parts.log.warn(
      { connector: unit, code },
      `a connector could not be planned again; its tasks run on as they are: ${message}`,
    );
  }
}

/** Characters: all nodes are told. */
const MAX_MESSAGE = 500;

function shortened(note: StatusNote): StatusNote {
  return { ...note, message: note.message.slice(0, MAX_MESSAGE) };
}
