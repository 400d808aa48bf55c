/** For people and tests. */
export interface StoreFigures {
  /** Space taken by all batches. */
  readonly storedBytes: number;
  readonly maxBytes: number | null;
  /** Appends waiting to be written. */
  readonly pendingBytes: number;
  readonly parkedReads: number;
  readonly cachedBytes: number;
}
