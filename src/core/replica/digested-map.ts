import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/**
 * A map that knows a digest of what it holds at any time: the sum of its items' hashes, in whatever order they came.
 * Only what changed since the last time is hashed, so a large state may be asked at every heartbeat.
 */
export class DigestedMap<K, V> extends Map<K, V> {
  readonly #itemOf: (value: V) => unknown;
  readonly #hashes = new Map<K, bigint>();
  readonly #changed = new Set<K>();
  #sum = 0n;

  /** `itemOf`: the JSON-safe part of a value that counts. It must name the key as well. */
  constructor(itemOf: (value: V) => unknown) {
    super();
    this.#itemOf = itemOf;
  }

  override set(key: K, value: V): this {
    this.#changed.add(key);
    return super.set(key, value);
  }

  /** In the place of a value whose item is the same. */
  refresh(key: K, value: V): void {
    super.set(key, value);
  }

  override delete(key: K): boolean {
    this.#changed.add(key);
    return super.delete(key);
  }

  override clear(): void {
    for (const key of this.keys()) this.#changed.add(key);
    super.clear();
  }

  get sum(): bigint {
    for (const key of this.#changed) {
      this.#sum -= this.#hashes.get(key) ?? 0n;
      this.#hashes.delete(key);
      const value = this.get(key);
      if (value === undefined) continue;
      const itsHash = hashOf(this.#itemOf(value));
      this.#hashes.set(key, itsHash);
      this.#sum += itsHash;
    }
    this.#changed.clear();
    this.#sum = BigInt.asUintN(64, this.#sum);
    return this.#sum;
  }
}

function hashOf(item: unknown): bigint {
  return hash('sha256', canonicalJson(item), 'buffer').readBigUInt64LE();
}
