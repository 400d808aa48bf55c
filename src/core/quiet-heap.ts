const CALM_UTILIZATION = 0.2;
const CALM_MS = 10_000;
/** Less, and less than this share of what is in use, is not worth the time of a collection: 10 ms, and a second for 500 MB. */
const WORTH_BYTES = 2 * 1024 * 1024;
const WORTH_SHARE = 0.25;

/**
 * When a thread that has become calm is to collect its garbage: V8 collects as a heap grows, and keeps what is left of a busy time
 * when it no longer does.
 */
export class QuietHeap {
  #calmMs = 0;
  #leftBytes = 0;

  /** Now and then. `elapsedMs`: since the time before; `utilization`: of the event loop meanwhile, 0 to 1; `heldBytes`: garbage included. */
  isToCollect(elapsedMs: number, utilization: number, heldBytes: number): boolean {
    this.#calmMs = utilization < CALM_UTILIZATION ? this.#calmMs + elapsedMs : 0;
    return this.#calmMs >= CALM_MS && heldBytes >= this.#leftBytes * (1 + WORTH_SHARE) + WORTH_BYTES;
  }

  /** `leftBytes`: what the collection has left. */
  collected(leftBytes: number): void {
    this.#calmMs = 0;
    this.#leftBytes = leftBytes;
  }
}
