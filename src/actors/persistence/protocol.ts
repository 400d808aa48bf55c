import type {
  ConnectorEntry,
  PositionWord,
  SourcePosition,
  TransactionPart,
  UnitKey,
} from '../../core/model.js';
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

/** What somebody sets by hand; null: it is forgotten. 'all': everything is. */
export type ProgressChange =
  | 'all'
  | { readonly kind: 'source'; readonly items: readonly PositionWord[] }
  | {
      readonly kind: 'sink';
      readonly items: readonly {
        readonly topic: string;
        readonly queue: number;
        readonly offset: number | null;
      }[];
    };

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
    /** Offsets of a sink that are durable by now, and the newest epoch that any task of the connector was opened at. */
    offsets: {
      request: { connector: string };
      reply: { readonly offsets: readonly SinkOffset[]; readonly newest: number };
    };
    /**
     * Sets and removes positions and offsets by hand. What tasks of before still write counts no more. CONNECTOR_NOT_STOPPED: one was
     * opened since the epoch `upTo`; POSITIONS_REFUSED: there is no such topic or queue.
     */
    alter: {
      request: { connector: string; upTo: number; change: ProgressChange };
      reply: Record<string, never>;
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
