import type { TargetState } from '../../core/model.js';
import { leaseLeftMs } from '../kernel/lease.js';

/**
 * Whether plugin code that moves records may run now: wanted to run, the node's lease is valid, not stopping.
 * The lease is read from shared memory at each turn, so a node that lost the log is fenced with no message.
 */
export class Gate {
  readonly #lease: SharedArrayBuffer;
  readonly #signal: AbortSignal;
  #target: TargetState = 'PAUSED';
  readonly #waiters = new Set<() => void>();

  constructor(lease: SharedArrayBuffer, signal: AbortSignal) {
    this.#lease = lease;
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      this.#wake();
    });
  }

  get target(): TargetState {
    return this.#target;
  }

  setTarget(target: TargetState): void {
    this.#target = target;
    this.#wake();
  }

  get open(): boolean {
    return this.#target === 'RUNNING' && !this.#signal.aborted && leaseLeftMs(this.#lease) > 0;
  }

  /** Resolves when something may have changed: check `open` again. A lost lease comes back unannounced: look again. */
  async changed(): Promise<void> {
    if (this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, this.#target === 'RUNNING' ? 50 : 1000);
      this.#waiters.add(done);
    });
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}
