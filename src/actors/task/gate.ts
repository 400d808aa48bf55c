import type { TargetState } from '../../core/model.js';
import { LogError, type Permit } from '../../log/log.js';
import { leaseLeftMs } from '../kernel/lease.js';

/**
 * Whether plugin code that moves records may run now: wanted to run, the node's lease is valid, not stopping.
 * The lease is read from shared memory at each turn, so a node that lost the log is fenced with no message.
 */
export class Gate {
  readonly #lease: SharedArrayBuffer;
  readonly #signal: AbortSignal;
  #target: TargetState = 'PAUSED';
  #held = false;
  readonly #waiters = new Set<() => void>();

  constructor(lease: SharedArrayBuffer, signal: AbortSignal) {
    this.#lease = lease;
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      this.wake();
    });
  }

  get target(): TargetState {
    return this.#target;
  }

  setTarget(target: TargetState): void {
    this.#target = target;
    this.wake();
  }

  get open(): boolean {
    return this.#wouldOpen && !this.#held;
  }

  /** It is closed for a moment only, for what is done between two records. */
  get held(): boolean {
    return this.#held && this.#wouldOpen;
  }

  /** Closes it, and with that ends what waits while it is open, until `release`. */
  hold(): void {
    this.#held = true;
    this.wake();
  }

  release(): void {
    this.#held = false;
    this.wake();
  }

  get #wouldOpen(): boolean {
    return this.#target === 'RUNNING' && !this.#signal.aborted && this.leased;
  }

  /** False: another node may run this task by now. Nothing may be delivered, not even on the way out. */
  get leased(): boolean {
    return leaseLeftMs(this.#lease) > 0;
  }

  /** Before the plugin starts, which may already change something. Rejects when the task is told to stop first. */
  async untilLeased(): Promise<void> {
    while (!this.leased) {
      if (this.#signal.aborted) throw new Error('told to stop before the plugin was started');
      await this.changed();
    }
  }

  /** Does something that must not be done without the lease, which `permit` watches. */
  async whileLeased<T>(work: (permit: Permit) => Promise<T>): Promise<T> {
    const ended = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const watch = (): void => {
      const leftMs = leaseLeftMs(this.#lease);
      if (leftMs > 0) timer = setTimeout(watch, leftMs + 1);
      else ended.abort(lost());
    };
    watch();
    try {
      return await work({ holds: () => this.leased, signal: ended.signal });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves when something may have changed: check `open` again. A lost lease comes back unannounced: look again. */
  async changed(): Promise<void> {
    await this.changedWithin(this.#target === 'RUNNING' ? 50 : 1000);
  }

  /** The same, or after so long. */
  async changedWithin(ms: number): Promise<void> {
    if (this.#signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#waiters.add(done);
    });
  }

  /** Resolves after so long, or as soon as it is not open. Looks each second: the lease has no alarm. */
  async whileOpen(ms: number): Promise<void> {
    const end = performance.now() + ms;
    let left = ms;
    // At least one turn of the event loop: a call that asks for no wait must not keep all others from theirs.
    while (this.open) {
      await this.changedWithin(Math.min(left, 1000));
      left = end - performance.now();
      if (left <= 0) return;
    }
  }

  /** Whoever waits for a change looks again. */
  wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}

function lost(): LogError {
  return new LogError('LOG_UNAVAILABLE', 'this node has lost its lease: another may write for its tasks');
}
