import type { TargetState, UnitKey } from '../../core/model.js';
import type { NodeState } from './node-state.js';
import type { RebalancerProtocol } from './protocol.js';

type Target = RebalancerProtocol['ask']['target'];

interface Waiter {
  readonly unit: UnitKey;
  readonly known: TargetState | null;
  readonly seen: number;
  readonly running: Target['request']['running'];
  readonly resolve: (reply: Target['reply']) => void;
}

/** The tasks' long polls for their target states, signals and newer configs: one a task, so bounded by the tasks of this node. */
export class Targets {
  readonly #state: NodeState;
  readonly #waiters = new Set<Waiter>();

  constructor(state: NodeState) {
    this.#state = state;
  }

  next(
    { unit, known, seen = -1, running }: Target['request'],
    signal: AbortSignal,
  ): Promise<Target['reply']> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { unit, known, seen, running, resolve };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', () => {
        if (this.#waiters.delete(waiter)) reject(new Error('the task is gone'));
      });
      this.#answer(waiter);
    });
  }

  changed(): void {
    for (const waiter of [...this.#waiters]) this.#answer(waiter);
  }

  #answer(waiter: Waiter): void {
    const state = this.#state.target(waiter.unit);
    const signals = this.#state.signals(waiter.unit, waiter.seen);
    const { unit, running } = waiter;
    const config =
      running === undefined ? null : this.#state.newerConfig(unit, running.generation, running.version);
    if (state === null || (state === waiter.known && signals.length === 0 && config === null)) return;
    this.#waiters.delete(waiter);
    waiter.resolve({ state, ...(signals.length > 0 && { signals }), ...(config !== null && { config }) });
  }
}
