import type { SourcePosition } from '../../core/model.js';
import type { SinkOffset } from '../../core/progress/progress-machine.js';
import { ConnectError } from '../../sdk/errors.js';
import type { Ref } from '../kernel/protocol.js';
import type { PersistenceProtocol, ProgressChange } from '../persistence/protocol.js';
import type { ConnectorConfigs } from './connector-configs.js';
import type { PlanningPool } from './planning-pool.js';

const ASK_MS = 30_000;

/** Positions and offsets of a connector, for users who look at them and set them. */
export class ConnectorOffsets {
  readonly #configs: Pick<ConnectorConfigs, 'get'>;
  readonly #pool: Pick<PlanningPool, 'run'>;
  readonly #persistence: Ref<PersistenceProtocol>;

  constructor(
    configs: Pick<ConnectorConfigs, 'get'>,
    pool: Pick<PlanningPool, 'run'>,
    persistence: Ref<PersistenceProtocol>,
  ) {
    this.#configs = configs;
    this.#pool = pool;
    this.#persistence = persistence;
  }

  /** As many as a connector may have positions (`source.partitions.max`). */
  async read(
    connector: string,
  ): Promise<{ readonly positions: readonly SourcePosition[]; readonly offsets: readonly SinkOffset[] }> {
    const { offsets } = await this.#ask('offsets', { connector });
    const positions: SourcePosition[] = [];
    for (let cursor: number | null = null; ;) {
      const page: PersistenceProtocol['ask']['positions']['reply'] = await this.#ask('positions', {
        connector,
        match: null,
        cursor,
      });
      for (const item of page.positions) positions.push(item);
      ({ cursor } = page);
      if (cursor === null) return { positions, offsets };
    }
  }

  /** CONNECTOR_NOT_FOUND, CONNECTOR_NOT_STOPPED (also where it was resumed meanwhile), POSITIONS_REFUSED. */
  async alter(name: string, change: ProgressChange, signal: AbortSignal): Promise<void> {
    // Before it is looked whether the connector is stopped: a task that is opened after that look is none of these.
    const { newest } = await this.#ask('offsets', { connector: name });
    const { config } = this.#stopped(name);
    if (change === 'all' || change.kind === 'source') {
      const changes = change === 'all' ? null : change.items;
      await this.#pool.run({ kind: 'positions', name, config, changes }, { signal });
      this.#stopped(name);
    }
    await this.#ask('alter', { connector: name, upTo: newest, change });
  }

  #stopped(name: string): { readonly config: Readonly<Record<string, string>> } {
    const entry = this.#configs.get(name);
    if (entry === null)
      throw new ConnectError(`Connector ${name} not found`, { code: 'CONNECTOR_NOT_FOUND' });
    if (entry.targetState === 'STOPPED') return entry;
    throw new ConnectError(notStopped(name), { code: 'CONNECTOR_NOT_STOPPED' });
  }

  #ask<K extends 'offsets' | 'positions' | 'alter'>(
    kind: K,
    request: PersistenceProtocol['ask'][K]['request'],
  ): Promise<PersistenceProtocol['ask'][K]['reply']> {
    return this.#persistence.ask(kind, request, { deadlineMs: ASK_MS });
  }
}

/** Kafka Connect's words. */
function notStopped(name: string): string {
  return `Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/${name}/stop' endpoint`;
}
