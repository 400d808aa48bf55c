/**
 * How long this node may go on as if it were a member, by its own monotonic clock. A heartbeat that was read back
 * proves that nobody can have evicted this node before it, so the lease runs from when that heartbeat was *sent*: the
 * others count their silence from no earlier. Safe while clocks drift less than (eviction − lease) over a lease.
 */
export class HeartbeatLease {
  readonly #leaseMs: number;
  #validUntil = Number.NEGATIVE_INFINITY;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** A heartbeat of this node, sent at that time, was read back and this node was a member. Answers `validUntil`. */
  readBack(sentAtMs: number): number {
    this.#validUntil = Math.max(this.#validUntil, sentAtMs + this.#leaseMs);
    return this.#validUntil;
  }

  /** Evicted, or leaving. */
  end(): void {
    this.#validUntil = Number.NEGATIVE_INFINITY;
  }

  get validUntil(): number {
    return this.#validUntil;
  }

  isValid(nowMs: number): boolean {
    return nowMs < this.#validUntil;
  }
}
