export interface PersistenceParams {
  readonly workerId: string;
  /** Folder of the four files. */
  readonly dir: string;
  readonly positionTopic: string;
  readonly offsetTopic: string;
  readonly configIntervalMs: number;
  readonly positionIntervalMs: number;
  readonly offsetIntervalMs: number;
}
