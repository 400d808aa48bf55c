import type { PositionWord, ProgressWord, TransactionPart } from '../../../core/model.js';
import type { JsonObject } from '../../../sdk/record.js';

/** What the next append says of positions: the last word of each source partition. */
export class MovedPositions {
  #words = new Map<string, PositionWord>();
  /** Of transactions that begin behind these positions. */
  #parts = new Map<string, TransactionPart>();
  #lastPartition: JsonObject | null = null;
  #lastPartitionKey = '';
  /** undefined: it was noted. */
  #lastPosition: JsonObject | null | undefined;

  get any(): boolean {
    return this.#lastPosition !== undefined || this.#words.size > 0 || this.#parts.size > 0;
  }

  moved(partition: JsonObject, position: JsonObject | null): void {
    if (partition !== this.#lastPartition) {
      this.#note();
      this.#lastPartition = partition;
      this.#lastPartitionKey = JSON.stringify(partition);
    }
    this.#lastPosition = position;
    if (this.#parts.size > 0) this.#parts.delete(this.#lastPartitionKey);
  }

  /** In place of an earlier one of its partition, which it covers. */
  part(part: TransactionPart): void {
    this.#parts.set(JSON.stringify(part.partition), part);
  }

  /** All of them; none are left. */
  take(): ProgressWord[] {
    this.#note();
    const parts = [...this.#parts.values()].map((part) => ({ part }));
    const words = [...this.#words.values(), ...parts];
    this.#words = new Map();
    this.#parts = new Map();
    return words;
  }

  #note(): void {
    if (this.#lastPartition === null || this.#lastPosition === undefined) return;
    this.#words.set(this.#lastPartitionKey, { partition: this.#lastPartition, position: this.#lastPosition });
    this.#lastPosition = undefined;
  }
}
