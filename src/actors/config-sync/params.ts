import type { FileRules } from '../../core/parameters/file-rules.js';
import type { UnknownKeysMode } from '../../core/parameters/unknown-keys-mode.js';
import type { LogSettings } from '../log/open.js';
import type { SecretProviders } from '../secret-providers.js';
import type { LogProtocol } from '../log/protocol.js';
import type { PersistenceProtocol } from '../persistence/protocol.js';
import type { RebalancerProtocol } from '../rebalancer/protocol.js';

export interface ConfigSyncPeers {
  log: LogProtocol;
  persistence: PersistenceProtocol;
  rebalancer: RebalancerProtocol;
}

export interface ConfigSyncParams {
  readonly workerId: string;
  readonly logSettings: LogSettings;
  readonly topic: string;
  /** The cluster's topics: no connector's. */
  readonly ownTopics: readonly string[];
  readonly pluginPaths: readonly string[];
  /** The node_modules whose packages are looked through for plugins; null: none. */
  readonly installedPlugins: string | null;
  /** Which files connectors may open. */
  readonly files: FileRules;
  readonly secretProviders: SecretProviders;
  readonly keyConverter: string;
  readonly valueConverter: string;
  readonly headerConverter: string;
  readonly unknownKeys: UnknownKeysMode;
  /** Whether it is noted which topics a connector uses, and whether that may be forgotten. */
  readonly topicTracking: { readonly enabled: boolean; readonly mayReset: boolean };
  readonly planningTimeoutMs: number;
  readonly planningThreads: number;
  /** What the whole node may have. */
  readonly nodeMemoryBytes: number;
  /** Connectors to apply at boot; null: none. */
  readonly connectorsDir: string | null;
  readonly storeDir: string;
  /** To write what this node's files hold to the topics, and then for nodes with newer files: both within its start. */
  readonly coldStartFilesMs: number;
  readonly coldStartWaitMs: number;
}
