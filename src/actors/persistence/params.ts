import type { LogSettings } from '../log/open.js';
import type { LogProtocol } from '../log/protocol.js';

export interface PersistencePeers {
  log: LogProtocol;
}

export interface PersistenceParams {
  readonly workerId: string;
  readonly logSettings: LogSettings;
  /** Folder of the four files. */
  readonly dir: string;
  readonly positionTopic: string;
  readonly offsetTopic: string;
  /** The cluster's, which no connector may read. */
  readonly ownTopics: readonly string[];
  readonly configIntervalMs: number;
  readonly positionIntervalMs: number;
  readonly offsetIntervalMs: number;
  /** Source partitions that a connector may have positions of. */
  readonly maxPartitions: number;
  /** Positions, and offsets, that deleted connectors may leave. */
  readonly maxLeft: number;
}
