import type { Piscina } from 'piscina';

/** Each has threads only while it is used, and for a few seconds after. */
const MAX_POOLS = 4;

interface Entry {
  readonly pool: Piscina;
  jobs: number;
}

/**
 * Threads for each set of packages whose code they run. What a plugin changes in its thread (a prototype, a global) is
 * met by none of another package: by theirs a check could not be trusted any more.
 */
export class PackagePools {
  readonly #create: (packages: string) => Piscina;
  readonly #onError: (error: unknown) => void;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(create: (packages: string) => Piscina, onError: (error: unknown) => void) {
    this.#create = create;
    this.#onError = onError;
  }

  /** `packages`: their folders as one text; empty for what comes with Troupe. */
  async run<T>(packages: string, work: (pool: Piscina) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(packages) ?? { pool: this.#create(packages), jobs: 0 };
    this.#entries.delete(packages);
    this.#entries.set(packages, entry);
    entry.jobs += 1;
    this.#evict();
    try {
      return await work(entry.pool);
    } finally {
      entry.jobs -= 1;
    }
  }

  /** New threads, which read the plugins anew; jobs under way finish in the old ones. */
  renew(): void {
    for (const { pool } of this.#entries.values()) pool.close().catch(this.#onError);
    this.#entries.clear();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ pool }) => pool.destroy()));
  }

  /** Not those that work, nor that of what comes with Troupe, which nearly everything needs. */
  #evict(): void {
    for (const [packages, { pool, jobs }] of this.#entries) {
      if (this.#entries.size <= MAX_POOLS) return;
      if (jobs > 0 || packages === '') continue;
      this.#entries.delete(packages);
      pool.destroy().catch(this.#onError);
    }
  }
}
