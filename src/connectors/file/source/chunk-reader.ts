/** Takes pieces from the tails in turn, and reads the next piece of a busy file while this one is being used. */
import { RetriableError, type PluginLogger } from '../../../sdk/index.js';
import { inputError } from '../fs-calls.js';
import type { Chunk } from './line-cutter.js';
import type { Tail } from './tail.js';
import type { ReadResult } from './whole-lines.js';

/** So many pieces of one file, then the others have their turn. */
const PIECES_IN_TURN = 16;

type Outcome = { readonly result: ReadResult } | { readonly error: unknown };

export class ChunkReader {
  readonly #log: PluginLogger;
  readonly #signal: AbortSignal;
  readonly #onTrouble: (path: string, trouble: string | null) => void;
  /** One holds the chunk that was given out last, the other is free or being read into. */
  readonly #spaces: [Buffer, Buffer];
  #free: 0 | 1 = 0;
  #tails: readonly Tail[] = [];
  #turn = 0;
  #inTurn = 0;
  #ahead: { readonly tail: Tail; readonly outcome: Promise<Outcome> } | null = null;
  readonly #troubles = new Map<Tail, RetriableError>();

  /** `onTrouble`: a file cannot be read; null: it can again, or is not followed any more. */
  constructor(
    chunkBytes: number,
    log: PluginLogger,
    signal: AbortSignal,
    onTrouble: (path: string, trouble: string | null) => void,
  ) {
    this.#log = log;
    this.#signal = signal;
    this.#onTrouble = onTrouble;
    this.#spaces = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)];
  }

  setTails(tails: readonly Tail[]): void {
    this.#tails = tails;
    for (const tail of this.#troubles.keys()) if (!tails.includes(tail)) this.#recovered(tail);
  }

  /** Set when no file can be read: what is wrong with the first of them. */
  get trouble(): RetriableError | null {
    if (this.#tails.length === 0 || this.#troubles.size < this.#tails.length) return null;
    return this.#troubles.values().next().value ?? null;
  }

  /** Null when there is nothing now. The chunk before must have been cut. */
  async next(): Promise<Chunk | null> {
    const ahead = this.#ahead;
    if (ahead !== null) {
      this.#ahead = null;
      const chunk = await this.#guarded(ahead.tail, () => this.#chunk(ahead.tail, ahead.outcome));
      if (chunk !== null) return chunk;
    }
    for (let i = 0; i < this.#tails.length && !this.#signal.aborted; i += 1) {
      this.#turn = (this.#turn + 1) % this.#tails.length;
      const tail = this.#tails[this.#turn];
      if (tail === undefined) break;
      this.#inTurn = 0;
      const chunk = await this.#guarded(tail, async () =>
        (await tail.look()) ? this.#chunk(tail, null) : null,
      );
      if (chunk !== null) return chunk;
    }
    return null;
  }

  /** Waits for the read under way, so that its file may be closed. */
  async settle(): Promise<void> {
    await this.#ahead?.outcome;
    this.#ahead = null;
  }

  async #chunk(tail: Tail, ahead: Promise<Outcome> | null): Promise<Chunk | null> {
    let pending = ahead;
    while (!this.#signal.aborted) {
      const outcome = await (pending ?? this.#read(tail));
      pending = null;
      if ('error' in outcome) throw outcome.error;
      const { result } = outcome;
      if (result.kind === 'end') return null;
      if (result.kind === 'grow') this.#spaces[this.#free] = Buffer.allocUnsafeSlow(result.bytes);
      if (result.kind !== 'chunk') continue;
      this.#free = this.#free === 0 ? 1 : 0;
      this.#inTurn += 1;
      if (result.more && this.#inTurn < PIECES_IN_TURN) this.#ahead = { tail, outcome: this.#read(tail) };
      return result.chunk;
    }
    return null;
  }

  /** Never rejects: what is read ahead may fail before anybody awaits it. */
  async #read(tail: Tail): Promise<Outcome> {
    try {
      return { result: await tail.read(this.#spaces[this.#free]) };
    } catch (error) {
      return { error };
    }
  }

  /** A file that cannot be read now does not hold up the others. */
  async #guarded(tail: Tail, body: () => Promise<Chunk | null>): Promise<Chunk | null> {
    try {
      const chunk = await body();
      this.#recovered(tail);
      return chunk;
    } catch (cause) {
      const error = inputError(cause, tail.path);
      if (!(error instanceof RetriableError)) throw error;
      if (this.#troubles.get(tail)?.message !== error.message) {
        this.#log.warn('cannot read a file; it will be tried again', {
          file: tail.path,
          cause: error.message,
        });
      }
      this.#troubles.set(tail, error);
      this.#onTrouble(tail.path, error.message);
      return null;
    }
  }

  #recovered(tail: Tail): void {
    if (this.#troubles.delete(tail)) this.#onTrouble(tail.path, null);
  }
}
