import type { Backoff } from '../../core/backoff.js';
import { PlanRetries } from '../../core/cluster/plan-retries.js';
import type { UnitKey } from '../../core/model.js';
import type { ConfigSyncProtocol } from '../config-sync/protocol.js';
import { ActorError } from '../kernel/errors.js';
import type { ActorLogger, Ref } from '../kernel/protocol.js';
import type { AllocatedUnit } from './protocol.js';
import type { RunningUnits } from './running-units.js';

/** Planning has a deadline of its own, in config-sync. */
const PLAN_ASK_MS = 600_000;

export interface PlanningParts {
  readonly configSync: Ref<ConfigSyncProtocol>;
  readonly units: RunningUnits;
  readonly backoff: Backoff;
  /** Of a connector's plans that cost a thread or its memory. */
  readonly maxRestarts: number;
  readonly log: ActorLogger;
  /** The time has come to plan a connector again whose plan under that epoch has failed. */
  readonly onRetry: (unit: UnitKey, epoch: number) => void;
  readonly onPlanned: (unit: UnitKey, epoch: number, replanAfterMs: number | null) => void;
}

/** Plans connectors. A plan that fails is made again after a backoff, for as long as it is wanted and `PlanRetries` allows. */
export class Planning {
  readonly #parts: PlanningParts;
  readonly #retries: PlanRetries;

  constructor(parts: PlanningParts) {
    this.#parts = parts;
    this.#retries = new PlanRetries(parts.backoff, parts.maxRestarts);
  }

  /** `restart`: its tasks start anew, whatever has changed. Rejects where nothing is known of the plan. */
  async plan(planned: Omit<AllocatedUnit, 'state'>, restart: boolean): Promise<void> {
    const { configSync, units } = this.#parts;
    const { unit, epoch } = planned;
    let replanAfterMs: number | null;
    let warning: string | null;
    try {
      const request = { name: unit, epoch, ...(restart && { restart }) };
      ({ replanAfterMs, warning } = await configSync.ask('plan', request, { deadlineMs: PLAN_ASK_MS }));
    } catch (error) {
      if (!(error instanceof ActorError) || error.remoteCode === null) throw error;
      // Another plan is wanted by now, or none.
      if (error.remoteCode === 'TASKS_STALE' || error.remoteCode === 'CONNECTOR_NOT_FOUND') {
        this.forget(unit);
        units.end(unit);
        return;
      }
      units.begin({ ...planned, state: 'FAILED' });
      this.#failed(unit, epoch, error.remoteCode, error.message);
      return;
    }
    this.forget(unit);
    units.begin({ ...planned, state: 'RUNNING' });
    this.#warn(unit, warning);
    units.report(unit, 'RUNNING', null);
    this.#parts.onPlanned(unit, epoch, replanAfterMs);
  }

  /** It is stopped: failures of the past do not count for the next plan. */
  forget(unit: UnitKey): void {
    this.#retries.forget(unit);
  }

  #warn(unit: UnitKey, warning: string | null): void {
    const { units, log } = this.#parts;
    const code = 'CONFIG_KEYS_IGNORED';
    units.keep(unit, warning === null ? [] : [{ code, since: Date.now(), message: warning }]);
    if (warning !== null) log.warn({ connector: unit, code }, warning);
  }

  #failed(unit: UnitKey, epoch: number, code: string, message: string): void {
    const { units, log, onRetry } = this.#parts;
    const cause = `${code}: ${message}`;
    const delayMs = this.#retries.failed(unit, code, Math.random());
    if (delayMs === null) {
      const over =
        'It was tried as often as task.restart.max allows: restart the connector, or change its config, once the cause is mended';
      units.report(unit, 'FAILED', `${cause}. ${over}`);
      log.error({ connector: unit, code }, `a connector is not planned again: ${message}. ${over}`);
      return;
    }
    units.report(unit, 'FAILED', cause);
    setTimeout(() => {
      onRetry(unit, epoch);
    }, delayMs);
  }
}
