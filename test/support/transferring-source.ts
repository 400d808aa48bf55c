/**
 * A source of transactions that are known by their numbers, each task its own, over two topics. It goes on from the position, and
 * says so when that is inside a transaction. Loaded as a plugin by tests.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  sourceRecord,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '#troupe/sdk/index.js';
import { sourceOf } from './plugin-of.js';

export const TRANSFER_TOPICS = ['changes', 'audit'] as const;
/** One of so many is large. */
const LARGE_EVERY = 8;

/** Records of transaction `number`, from 1. */
export function sizeOfTransfer(number: number): number {
  return isLargeTransfer(number) ? 2000 : 1 + ((number * 7) % 20);
}

export function isLargeTransfer(number: number): boolean {
  return number % LARGE_EVERY === 0;
}

class TransferringTask implements SourceTask {
  #task = 0;
  /** The record to make next: that number of that transaction, from 1. */
  #number = 1;
  #record = 1;
  #signal: AbortSignal | null = null;

  start(context: SourceTaskContext): void {
    this.#task = context.taskId;
    this.#signal = context.signal;
    const position = context.position({ task: this.#task });
    if (position === null) return;
    const number = Number(position['transaction']);
    if (position['record'] !== sizeOfTransfer(number))
      throw new Error(`the position ${JSON.stringify(position)} is inside a transaction`);
    this.#number = number + 1;
  }

  async poll(): Promise<SourceRecord[]> {
    await sleep(2, undefined, { signal: this.#signal ?? undefined }).catch(() => undefined);
    if (this.#signal?.aborted === true) return [];
    // Seldom where a transaction ends.
    return Array.from({ length: 37 }, () => this.#make());
  }

  #make(): SourceRecord {
    const number = this.#number;
    const record = this.#record;
    const size = sizeOfTransfer(number);
    const end = record === size;
    this.#number = end ? number + 1 : number;
    this.#record = end ? 1 : record + 1;
    return sourceRecord({
      topic: TRANSFER_TOPICS[record % 2] ?? null,
      value: `${this.#task} ${number} ${record}`,
      sourcePartition: { task: this.#task },
      sourcePosition: { transaction: number, record },
      // One of three is known to have ended by what follows it alone.
      transaction: { id: `t${number}`, end: end && number % 3 !== 0 },
    });
  }

  commit(positions: Parameters<NonNullable<SourceTask['commit']>>[0]): void {
    for (const { position } of positions)
      if (position['record'] !== sizeOfTransfer(Number(position['transaction'])))
        throw new Error(`told that ${JSON.stringify(position)} is durable`);
  }

  stop(): void {
    // It holds nothing.
  }
}

export default sourceOf([], () => new TransferringTask());
