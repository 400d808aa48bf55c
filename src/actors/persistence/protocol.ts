import type { ConnectorEntry, SourcePosition, TransactionPart, UnitKey } from '../../core/model.js';
import type { SinkOffset, Uncovered } from '../../core/progress/progress-machine.js';
import type { CopyOrigin } from '../../core/connectors/cold-start-state.js';
import type { SavedConfig } from '../../core/connectors/state-files.js';
import type { Protocol } from '../kernel/protocol.js';

export interface UnitProgress {
  /** Of its connector. */
  readonly positions: readonly SourcePosition[];
  readonly offsets: readonly SinkOffset[];
  /** Of a source: which of its records stand in the log without a position that says so. */
  readonly uncovered: Uncovered;
  /** Of its connector. */
  readonly parts: readonly TransactionPart[];
}

export interface PersistenceProtocol extends Protocol {
  tell: {
    /** What connectorConfig.json and taskConfig.json should hold, from config-sync. */
    configs: {
      connectors: readonly ConnectorEntry[];
      /** By connector: hash of the boot file applied last. */
      booted: ReadonlyMap<string, string>;
      from: CopyOrigin;
    };
  };
  ask: {
    /** Fences older epochs of the unit (core/cluster/fencing.ts), then answers its connector's durable progress. Refused: LOG_FENCED, TOO_MANY_PARTITIONS. */
    open: { request: { unit: UnitKey; epoch: number; kind: 'source' | 'sink' }; reply: UnitProgress };
    /**
     * Positions of a connector that are durable by now, whoever wrote them: a page of those whose partition has the fields of `match`.
     * `cursor`: of the page before; the reply's is null with the last. POSITIONS_GONE: begin again.
     */
    positions: {
      request: { connector: string; match: SourcePosition['partition'] | null; cursor: number | null };
      reply: { readonly positions: readonly SourcePosition[]; readonly cursor: number | null };
    };
    /** How many source partitions of a connector have a position, and how many it may have. */
    partitions: {
      request: { connector: string };
      reply: { readonly partitions: number; readonly max: number };
    };
    /**
     * The config topic is empty: begins positions and offsets from this node's files, where their topics are empty as
     * well, and answers what connectorConfig.json holds; null when there is no such file.
     */
    coldStart: {
      request: Record<string, never>;
      reply: { readonly origin: CopyOrigin; readonly connectors: readonly SavedConfig[] } | null;
    };
  };
}
