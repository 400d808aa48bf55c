import type { ThreadFile } from '../actors/kernel/control.js';
import type { ActorSpec } from '../actors/kernel/protocol.js';

/** Half a megabyte each. */
const MOST_KINDS = 8;
/** A thread that was asked for it may have ended before it could give it. */
const ASK_AGAIN_MS = 10_000;

type Kind = Pick<ActorSpec, 'thread' | 'codeKind'>;

interface Compiled {
  bytes: SharedArrayBuffer | null;
  askedAt: number;
}

/**
 * What V8 has compiled of the files of threads, by the kind of actor, given by the first thread of the kind. To those
 * after it, it saves a third of what their start costs. In memory only: it depends on the version and the flags of V8.
 */
export class CompiledCode {
  /** Those started last come last; at most MOST_KINDS. */
  readonly #kinds = new Map<string, Compiled>();
  readonly #now: () => number;

  /** `now`: milliseconds of any clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What its thread is to run; null: the modules of the kernel. Of a spare one the kind is not known: that last used. */
  file({ thread, codeKind }: Kind): ThreadFile | null {
    if (thread === undefined) return null;
    const key = codeKind === undefined ? this.#lastOf(thread) : keyOf(thread, codeKind);
    return { url: thread, compiled: this.#kinds.get(key)?.bytes ?? null };
  }

  #lastOf(thread: string): string {
    return [...this.#kinds.keys()].findLast((key) => key.startsWith(keyOf(thread, ''))) ?? '';
  }

  /** Whether a new thread is to give it: one at a time. */
  asks({ thread, codeKind = '' }: Kind): boolean {
    if (thread === undefined) return false;
    const key = keyOf(thread, codeKind);
    const known = this.#kinds.get(key);
    const now = this.#now();
    const isAsked = known === undefined || (known.bytes === null && now - known.askedAt >= ASK_AGAIN_MS);
    this.#set(key, isAsked ? { bytes: null, askedAt: now } : known);
    return isAsked;
  }

  /** Also where it was there, and V8 could not use it: its flags have changed. */
  given({ thread, codeKind = '' }: Kind, bytes: SharedArrayBuffer): void {
    if (thread !== undefined) this.#set(keyOf(thread, codeKind), { bytes, askedAt: this.#now() });
  }

  #set(key: string, compiled: Compiled): void {
    this.#kinds.delete(key);
    this.#kinds.set(key, compiled);
    const [oldest] = this.#kinds.keys();
    if (this.#kinds.size > MOST_KINDS && oldest !== undefined) this.#kinds.delete(oldest);
  }
}

function keyOf(thread: string, codeKind: string): string {
  return `${thread} ${codeKind}`;
}
