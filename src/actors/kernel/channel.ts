/**
 * A channel carries the messages of one asker to one target and the replies back: a MessagePort pair, and three
 * counters in shared memory. The sender writes SENT, the receiver the others, so each is exact with no credit
 * messages: the sender stops at WINDOW messages that are not done, which bounds the receiver's mailbox by
 * WINDOW × its askers; and the supervisor sees the depth without asking anybody.
 */
import type { MessagePort } from 'node:worker_threads';

export const WINDOW = 1024;

export const SENT = 0;
/** Handed to a handler. */
export const TAKEN = 1;
/** The tell's handler returned, or the ask was answered. */
export const DONE = 2;

export type Counters = Int32Array<SharedArrayBuffer>;

/** What each end is given by the supervisor; `peer` is who is at the other end. */
export interface ChannelEnd {
  readonly peer: string;
  readonly port: MessagePort;
  readonly counters: Counters;
  /** Of the target. */
  readonly incarnation: number;
}

export function newCounters(): Counters {
  return new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
}

/** Messages sent that no handler has taken yet. The counters wrap; their differences do not. */
export function waiting(counters: Counters): number {
  return Math.max(0, (Atomics.load(counters, SENT) - Atomics.load(counters, TAKEN)) | 0);
}

export function isFull(counters: Counters, window: number): boolean {
  return ((Atomics.load(counters, SENT) - Atomics.load(counters, DONE)) | 0) >= window;
}

/** Messages are tuples that begin with one of these: smaller and quicker to clone than objects. */
export const TELL = 0; // [TELL, kind, payload]
export const ASK = 1; // [ASK, id, kind, request]
export const CANCEL = 2; // [CANCEL, id]
export const REPLY = 3; // [REPLY, id, value]
export const FAILURE = 4; // [FAILURE, id, code, WireError]
