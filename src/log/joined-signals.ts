import { setMaxListeners } from 'node:events';

/**
 * For each signal of a caller one that ends with it, or with ours, and has as many listeners as there are reads. Made once and
 * kept: on Node 20 each signal that `AbortSignal.any` makes leaves a mark in its sources for as long as those live.
 */
export class JoinedSignals {
  readonly #ours: readonly AbortSignal[];
  readonly #joined = new WeakMap<AbortSignal, AbortSignal>();

  constructor(...ours: readonly AbortSignal[]) {
    this.#ours = ours;
  }

  with(signal: AbortSignal): AbortSignal {
    let joined = this.#joined.get(signal);
    if (joined === undefined) {
      joined = AbortSignal.any([...this.#ours, signal]);
      setMaxListeners(0, joined);
      this.#joined.set(signal, joined);
    }
    return joined;
  }
}
