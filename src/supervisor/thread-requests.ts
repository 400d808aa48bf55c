import type { SystemRequest } from '../actors/kernel/control.js';
import type { ActorId, SystemEvent } from '../actors/kernel/protocol.js';
import { toWireError } from '../actors/kernel/wire-error.js';
import type { ActorThread } from './actor-thread.js';
import type { MetricsLedger } from './metrics-ledger.js';
import { performCall, type CallTarget } from './system-calls.js';

interface RequestTarget extends CallTarget {
  readonly ledger: MetricsLedger;
}

/** What threads ask of the system, and what they are told of it. */
export class ThreadRequests {
  readonly #target: RequestTarget;
  readonly #shutdown: (reason: string) => void;
  readonly #watchers = new Map<ActorId, Set<ActorThread>>();

  constructor(target: RequestTarget, shutdown: (reason: string) => void) {
    this.#target = target;
    this.#shutdown = shutdown;
  }

  receive(thread: ActorThread, request: SystemRequest): void {
    switch (request.type) {
      case 'call':
        void this.#answer(thread, request);
        return;
      case 'watch': {
        const watchers = this.#watchers.get(request.supervisor) ?? new Set();
        this.#watchers.set(request.supervisor, watchers.add(thread));
        return;
      }
      case 'metrics':
        this.#target.ledger.add(thread.spec.id, request.memory);
        return;
      case 'shutdown':
        this.#shutdown(request.reason);
        return;
    }
  }

  tell(supervisor: ActorId, event: SystemEvent): void {
    for (const thread of this.#watchers.get(supervisor) ?? [])
      thread.post({ type: 'event', supervisor, event });
  }

  gone(thread: ActorThread): void {
    for (const threads of this.#watchers.values()) threads.delete(thread);
  }

  async #answer(thread: ActorThread, request: SystemRequest & { type: 'call' }): Promise<void> {
    const { call, method, args } = request;
    try {
      thread.post({ type: 'answer', call, value: await performCall(this.#target, method, args) });
    } catch (error) {
      thread.post({ type: 'refusal', call, error: toWireError(error) });
    }
  }
}
