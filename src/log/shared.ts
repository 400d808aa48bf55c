/**
 * A group whose members share a topic record by record, in no order: the port of `consume.mode=shared`. Not every log
 * has it (actors/log/open-grpc.ts).
 */
import type { EncodedBatch } from './log.js';

/** One record that was handed out, until it is acknowledged or given back. */
export interface Delivery {
  readonly queue: number;
  /** In the queue that it comes from this time: after a failure that is another one. */
  readonly offset: number;
  /** 1, 2… When it was handed out so often as it may, the log moves it to the group's dead letters. */
  readonly attempt: number;
}

export interface SharedBatch {
  readonly topic: string;
  readonly batch: EncodedBatch;
  /** One a record of the batch. */
  readonly deliveries: readonly Delivery[];
}

/** Holds what was handed out for as long as it takes: until then, or until it dies, nobody else is given it. */
export interface SharedConsumer {
  /** The next records, of one topic; null when there are none for `waitMs`. Aborting the signal answers null. */
  receive(maxRecords: number, waitMs: number, signal?: AbortSignal): Promise<SharedBatch | null>;
  /** They are done with. Answers how many could not be acknowledged: those come again. */
  ack(deliveries: readonly Delivery[]): Promise<number>;
  /** They failed: somebody is given them again, `delayMs` from now at the earliest. */
  release(deliveries: readonly Delivery[], delayMs: number): Promise<void>;
  /** Gives back what nobody has received yet, and takes no more until the next `receive`. */
  suspend(): Promise<void>;
  /** Gives back everything that is not acknowledged. */
  close(): Promise<void>;
}
