/** Names what was sent; tokens grow in the order of sending. */
export type AckToken = number;

/**
 * What was sent, in order, and how much of it is acknowledged without a gap: only that prefix may be committed, however
 * acknowledgements overtake each other. Holds what the sender has in flight and what nobody took yet.
 */
export class AckLedger<T> {
  /** Sent and not taken; `#head` is the index of the first, `#first` its token. */
  #entries: { readonly payload: T; acked: boolean }[] = [];
  #head = 0;
  #first: AckToken = 0;
  /** Token of the first that is not acknowledged. */
  #unacked: AckToken = 0;

  /** Sent and not yet part of the acknowledged prefix. */
  get pending(): number {
    return this.#first + this.#entries.length - this.#head - this.#unacked;
  }

  sent(payload: T): AckToken {
    this.#entries.push({ payload, acked: false });
    return this.#first + this.#entries.length - this.#head - 1;
  }

  /** Twice is as good as once; an unknown token is a mistake of the caller. */
  acked(token: AckToken): void {
    if (token < this.#unacked) return;
    const entry = this.#at(token);
    if (entry === undefined) throw new RangeError(`nothing was sent under token ${token}`);
    entry.acked = true;
    while (this.#at(this.#unacked)?.acked === true) this.#unacked += 1;
  }

  /** What became part of the acknowledged prefix since the last call, in the order it was sent. */
  takeCommittable(): T[] {
    const count = this.#unacked - this.#first;
    if (count === 0) return [];
    const taken = this.#entries.slice(this.#head, this.#head + count).map(({ payload }) => payload);
    this.#head += count;
    this.#first = this.#unacked;
    // What was taken is let go of when it is at least half, so each entry is moved about once.
    if (this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return taken;
  }

  #at(token: AckToken): { readonly payload: T; acked: boolean } | undefined {
    return this.#entries[this.#head + token - this.#first];
  }
}
