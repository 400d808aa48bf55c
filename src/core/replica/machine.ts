import type { Writer } from './envelope.js';

export interface EntryMeta {
  /** Place in the topic. */
  readonly offset: number;
  /** Milliseconds since 1970 by the clock of whoever appended it: to show, never to compare. */
  readonly timestamp: number;
  readonly writer: Writer;
}

/**
 * A state that every node builds from the same entries in the same order. All functions are pure, except that `apply`
 * may change the state it is given and return it; the state belongs to the replica, everybody else only reads.
 */
export interface Machine<S, E, R> {
  readonly name: string;
  initial(): S;
  /** Deterministic; never throws on an entry that `decode` let through. */
  apply(state: S, entry: E, meta: EntryMeta): { readonly state: S; readonly result: R };
  /** null: not an entry of this machine, or broken. It is skipped. */
  decode(value: unknown): E | null;
  /** The state as JSON-safe items, each small beside a message of the log. */
  encodeSnapshot(state: S): Iterable<unknown>;
  decodeSnapshot(items: readonly unknown[]): S | null;
  /** Equal states have equal digests. Goes through the whole state. */
  digest(state: S): string;
  /** Another digest, that is kept up to date with the state: for whoever asks at every heartbeat. */
  runningDigest?(state: S): string;
}
