import type { PositionWord } from '../../../core/model.js';
import type { JsonObject } from '../../../sdk/record.js';

/** What the next append says of positions: the last word of each source partition. */
export class MovedPositions {
  #words = new Map<string, PositionWord>();
  #lastPartition: JsonObject | null = null;
  #lastPartitionKey = '';
  /** undefined: it was noted. */
  #lastPosition: JsonObject | null | undefined;

  get any(): boolean {
    return this.#lastPosition !== undefined || this.#words.size > 0;
  }

  moved(partition: JsonObject, position: JsonObject | null): void {
    if (partition !== this.#lastPartition) {
      this.#note();
      this.#lastPartition = partition;
      this.#lastPartitionKey = JSON.stringify(partition);
    }
    this.#lastPosition = position;
  }

  /** All of them; none are left. */
  take(): PositionWord[] {
    this.#note();
    const words = [...this.#words.values()];
    this.#words = new Map();
    return words;
  }

  #note(): void {
    if (this.#lastPartition === null || this.#lastPosition === undefined) return;
    this.#words.set(this.#lastPartitionKey, { partition: this.#lastPartition, position: this.#lastPosition });
    this.#lastPosition = undefined;
  }
}
