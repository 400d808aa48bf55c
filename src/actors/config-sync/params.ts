export interface ConfigSyncParams {
  readonly workerId: string;
  readonly topic: string;
  readonly pluginPaths: readonly string[];
  readonly keyConverter: string;
  readonly valueConverter: string;
  readonly planningTimeoutMs: number;
  readonly planningThreads: number;
  /** Connectors to apply at boot; null: none. */
  readonly connectorsDir: string | null;
  readonly storeDir: string;
}
