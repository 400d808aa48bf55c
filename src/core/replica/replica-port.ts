export interface ReplicaRead {
  readonly records: readonly {
    readonly offset: number;
    readonly timestamp: number;
    readonly value: Uint8Array;
  }[];
  /** Where to read next. */
  readonly nextOffset: number;
  /** Offset of the first record that still exists. */
  readonly startOffset: number;
  readonly endOffset: number;
}

/** A topic with one queue. What fails for a while, the port tries again by itself: its errors end the replica's loop. */
export interface ReplicaPort {
  /**
   * The offset of the first value, once all are durable. When an append's outcome is unknown the port may repeat it:
   * an entry that stands twice changes nothing. A rejection means that the entries may or may not be there.
   */
  append(values: readonly Uint8Array[]): Promise<number>;
  /** Waits up to `waitMs` for the first record at or after `from`. */
  read(from: number, waitMs: number, signal?: AbortSignal): Promise<ReplicaRead>;
  /** Records before `offset` are not needed any more. */
  trim(offset: number): Promise<void>;
  /**
   * Where records vanish with age, whoever needs them: how often a snapshot must be there that stands for them, by a
   * monotonic clock in milliseconds.
   */
  readonly snapshots?: { readonly everyMs: number; readonly now: () => number };
}
