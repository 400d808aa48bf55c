import type { ConnectorEntry, SourcePosition, UnitKey } from '../../core/model.js';
import type { GroupOffset } from '../../log/log.js';
import type { Protocol } from '../kernel/protocol.js';

export interface ConnectorProgress {
  readonly positions: readonly SourcePosition[];
  readonly offsets: readonly GroupOffset[];
}

export interface PersistenceProtocol extends Protocol {
  tell: {
    /** What connectorConfig.json and taskConfig.json should hold, from config-sync. */
    configs: { connectors: readonly ConnectorEntry[] };
  };
  ask: {
    /** Fences older epochs of the unit, then answers its connector's durable progress. Refused: LOG_FENCED. */
    open: { request: { unit: UnitKey; epoch: number; kind: 'source' | 'sink' }; reply: ConnectorProgress };
    progress: { request: { connector: string }; reply: ConnectorProgress };
    /** Connectors of connectorConfig.json, for a store that has none; null when there is no such file. */
    savedConfigs: {
      request: Record<string, never>;
      reply:
        | readonly {
            name: string;
            config: Readonly<Record<string, string>>;
            targetState: 'RUNNING' | 'PAUSED' | 'STOPPED';
          }[]
        | null;
    };
    /** Writes the four files now. */
    persist: { request: Record<string, never>; reply: { files: readonly string[] } };
  };
}
