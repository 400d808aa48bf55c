import type { TargetState, UnitKey } from '../../core/model.js';
import type { NodeState } from './node-state.js';

interface Waiter {
  readonly unit: UnitKey;
  readonly known: TargetState | null;
  readonly resolve: (reply: { state: TargetState }) => void;
}

/** The tasks' long polls for their target states: one a task, so bounded by the tasks of this node. */
export class Targets {
  readonly #state: NodeState;
  readonly #waiters = new Set<Waiter>();

  constructor(state: NodeState) {
    this.#state = state;
  }

  next(unit: UnitKey, known: TargetState | null, signal: AbortSignal): Promise<{ state: TargetState }> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { unit, known, resolve };
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
    if (state === null || state === waiter.known) return;
    this.#waiters.delete(waiter);
    waiter.resolve({ state });
  }
}
