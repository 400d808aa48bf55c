import type { ActorLogger, Ref } from '../kernel/protocol.js';
import { ActorError } from '../kernel/errors.js';
import { isQuarantined } from '../../core/cluster/quarantine.js';
import type { UnitAnswer } from '../../core/connectors/signals.js';
import { sameNode } from '../../core/cluster/cluster-machine.js';
import { parseUnitKey, unitGeneration, type UnitKey } from '../../core/model.js';
import type { ConfigSyncProtocol } from '../config-sync/protocol.js';
import type { NodeState } from './node-state.js';
import type { DeliveredSignal, RebalancerProtocol } from './protocol.js';
import type { RunningUnits } from './running-units.js';

/** Planning has a deadline of its own, in config-sync. */
const PLANNER_ASK_MS = 600_000;
const ASK_MS = 30_000;

export interface SignalDeskParts {
  readonly configSync: Ref<ConfigSyncProtocol>;
  readonly state: NodeState;
  readonly units: Pick<RunningUnits, 'all'>;
  readonly log: Pick<ActorLogger, 'warn'>;
}

/**
 * Signals for what this node has. Tasks that run take theirs by their long polls; the planning side is asked for here, and
 * for tasks that have failed this node answers.
 */
export class SignalDesk {
  readonly #parts: SignalDeskParts;
  /** One signal at a time of each unit. */
  readonly #busy = new Set<UnitKey>();

  constructor(parts: SignalDeskParts) {
    this.#parts = parts;
  }

  /** After whatever may have changed; what did not work is tried again then. */
  look(): void {
    const { state } = this.#parts;
    for (const unit of state.signalled) {
      const [first] = state.signals(unit);
      if (first === undefined || this.#busy.has(unit)) continue;
      const work = this.#workFor(unit, first);
      if (work === null) continue;
      this.#busy.add(unit);
      void work()
        .catch((error: unknown) => {
          const code = error instanceof ActorError ? (error.remoteCode ?? error.code) : null;
          if (code === 'SIGNAL_NOT_FOUND' || code === 'CONNECTOR_NOT_FOUND') return;
          const { id } = first;
          this.#parts.log.warn({ unit, signal: id, code, err: error }, 'a signal is not answered yet');
        })
        .finally(() => this.#busy.delete(unit));
    }
  }

  async answer({
    unit,
    id,
    answer,
  }: RebalancerProtocol['ask']['answerSignal']['request']): Promise<Record<string, never>> {
    const { connector: name } = parseUnitKey(unit);
    return this.#parts.configSync.ask('answerSignal', { name, unit, id, answer }, { deadlineMs: ASK_MS });
  }

  /** null: somebody else does it, or nobody yet. */
  #workFor(unit: UnitKey, { id }: DeliveredSignal): (() => Promise<unknown>) | null {
    const { configSync, state, units } = this.#parts;
    const { connector, task } = parseUnitKey(unit);
    const refusal = this.#refusal(unit, task);
    if (refusal !== null) return () => this.answer({ unit, id, answer: refusal });
    if (task !== null || !this.#isOwn(unit) || !units.all.has(unit)) return null;
    if (state.configs?.get(connector)?.targetState === 'STOPPED') return null;
    return () => configSync.ask('signalPlanner', { name: connector, id }, { deadlineMs: PLANNER_ASK_MS });
  }

  #isOwn(unit: UnitKey): boolean {
    const { self, claims } = this.#parts.state;
    const claim = claims.get(unit);
    return self !== null && claim !== undefined && sameNode(claim.node, self);
  }

  /** Of a unit that will not take a signal until somebody restarts it. */
  #refusal(unit: UnitKey, task: number | null): UnitAnswer | null {
    const { state, units } = this.#parts;
    const { configs, suspects, members, self } = state;
    const entry = configs?.get(parseUnitKey(unit).connector);
    const generation = entry === undefined ? null : unitGeneration(entry, task);
    if (generation === null) return null;
    if (isQuarantined(suspects.get(unit), generation)) {
      // Nobody has it: the first of those who know answers.
      const [first] = [...members.keys()].sort();
      return first === self?.id ? QUARANTINED : null;
    }
    const running = units.all.get(unit);
    if (task === null || running?.state !== 'FAILED' || !this.#isOwn(unit)) return null;
    // A restart that was asked for before the signal comes first.
    const isNewest = running.generation >= generation && state.claims.get(unit)?.epoch === running.epoch;
    return isNewest ? TASK_FAILED : null;
  }
}

const TASK_FAILED: UnitAnswer = {
  ok: false,
  code: 'TASK_FAILED',
  message: 'the task is FAILED and takes no signals: its status says why; restart it first',
};
const QUARANTINED: UnitAnswer = {
  ok: false,
  code: 'QUARANTINED',
  message: 'it is quarantined, as nodes died with it, and takes no signals: restart it first',
};
