import type { ConfigSyncProtocol } from '../config-sync/protocol.js';
import type { Ref } from '../kernel/protocol.js';

/** All tasks of a connector may ask at once, and again: each request is an entry that every node reads. */
const GAP_MS = 5000;
const ASK_MS = 30_000;

/** Requests of this node's tasks for new plans, on their way into the log. */
export class ReplanRequests {
  readonly #configSync: Ref<ConfigSyncProtocol>;
  /** Connectors of this node's tasks that have asked lately; true: again since it was written. */
  readonly #asked = new Map<string, boolean>();

  constructor(configSync: Ref<ConfigSyncProtocol>) {
    this.#configSync = configSync;
  }

  ask(connector: string): void {
    if (this.#asked.has(connector)) this.#asked.set(connector, true);
    else this.#write(connector);
  }

  /** One that is not written for now is written later; of a connector that is gone none is needed. */
  #write(connector: string): void {
    this.#asked.set(connector, false);
    this.#configSync.ask('replan', { name: connector }, { deadlineMs: ASK_MS }).catch((error: unknown) => {
      const gone =
        error instanceof Error && 'remoteCode' in error && error.remoteCode === 'CONNECTOR_NOT_FOUND';
      if (!gone) this.#asked.set(connector, true);
    });
    setTimeout(() => {
      const again = this.#asked.get(connector) === true;
      this.#asked.delete(connector);
      if (again) this.#write(connector);
    }, GAP_MS);
  }
}
